/** A stand-in for LM Studio: to a path that it does not know it answers 200 with an error in the body, as the real one. */
import { chatAnswer, ModelServer, sendJson, type Pages } from "./stand-in.ts";

export const lmStudioV1 = [
  {
    type: "llm",
    publisher: "qwen",
    key: "qwen/qwen3-4b",
    display_name: "Qwen3 4B",
    architecture: "qwen3",
    quantization: { name: "Q4_K_M", bits_per_weight: 4 },
    size_bytes: 2_500_000_000,
    params_string: "4B",
    loaded_instances: [
      { id: "qwen/qwen3-4b", config: { context_length: 16_384 } },
      { id: "qwen/qwen3-4b:2", config: { context_length: 8_192 } },
    ],
    max_context_length: 262_144,
    format: "gguf",
  },
  {
    type: "embedding",
    publisher: "nomic-ai",
    key: "text-embedding-nomic-embed-text-v1.5",
    quantization: null,
    size_bytes: 84_000_000,
    loaded_instances: [],
    max_context_length: 2_048,
  },
];

const v0 = [
  {
    id: "qwen/qwen3-4b",
    object: "model",
    type: "vlm",
    publisher: "qwen",
    arch: "qwen3",
    quantization: "4bit",
    state: "loaded",
    max_context_length: 262_144,
    loaded_context_length: 4_096,
  },
  { id: "text-embedding-nomic-embed-text-v1.5", type: "embeddings", state: "not-loaded", max_context_length: 2_048 },
];

const openAi = [{ id: "qwen/qwen3-4b", object: "model", owned_by: "organization_owner" }];

/** `api`: the newest one that this version has. */
export function lmStudioStandIn(api: "v1" | "v0" | "openai" = "v1"): ModelServer {
  const pages: Pages = {
    "GET /v1/models": () => ({ object: "list", data: openAi }),
    "POST /v1/chat/completions": () => ({ ...chatAnswer, model: "qwen/qwen3-4b" }),
  };
  if (api !== "openai") pages["GET /api/v0/models"] = () => ({ object: "list", data: v0 });
  if (api === "v1") pages["GET /api/v1/models"] = () => ({ models: lmStudioV1 });
  return new ModelServer({
    pages,
    absent: (response, method, path) =>
      sendJson(response, 200, { error: `Unexpected endpoint or method. (${method} ${path})` }),
  });
}
