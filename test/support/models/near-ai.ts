/** A stand-in for NEAR AI Cloud: its public catalogue, in pages, and the header that names who did answer. */
import { chatAnswer, ModelServer } from "./stand-in.ts";

const metadata = { verifiable: true, attestationSupported: true, providerType: "vllm", contextLength: 131_072 };
const textToText = { architecture: { inputModalities: ["text"], outputModalities: ["text"] } };

export const nearModels = [
  { modelId: "zai-org/GLM-5.1-FP8", metadata: { ...metadata, ...textToText, modelDisplayName: "GLM 5.1" } },
  { modelId: "Qwen/Qwen3-30B-A3B-Instruct-2507", metadata: { ...metadata, contextLength: 262_144 } },
  // Relayed to others, who read everything.
  {
    modelId: "anthropic/claude-sonnet-4-5",
    metadata: { ...metadata, ...textToText, attestationSupported: false, providerType: "external" },
  },
  // A flag that contradicts the others.
  { modelId: "openai/gpt-5.2", metadata: { ...metadata, ...textToText, providerType: "external" } },
  { modelId: "unsaid/model", metadata: { modelDisplayName: "Says nothing of itself" } },
  {
    modelId: "black-forest-labs/FLUX.2",
    metadata: { ...metadata, architecture: { inputModalities: ["text"], outputModalities: ["image"] } },
  },
  {
    modelId: "Qwen/Qwen3-Embedding-0.6B",
    metadata: { ...metadata, architecture: { inputModalities: ["text"], outputModalities: ["embedding"] } },
  },
];

/** `pageSize`: the most that it gives at once, whatever is asked for. */
export function nearStandIn({ pageSize = 1_000, serving = "near" } = {}): ModelServer {
  return new ModelServer({
    pages: {
      "GET /v1/model/list": (_request, url) => {
        const offset = Number(url.searchParams.get("offset") ?? 0);
        const limit = Math.min(pageSize, Number(url.searchParams.get("limit") ?? 100));
        return { models: nearModels.slice(offset, offset + limit), total: nearModels.length, limit, offset };
      },
      "POST /v1/chat/completions": () => ({ ...chatAnswer, model: "zai-org/GLM-5.1-FP8" }),
    },
    headers: { "x-serving-provider": serving },
  });
}
