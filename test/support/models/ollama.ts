/** A stand-in for Ollama (its API as of 0.12 to 0.40), with a model of each kind that matters. */
import { chatAnswer, ModelServer } from "./stand-in.ts";

export const ollamaTags = [
  {
    name: "llama3.2:latest",
    model: "llama3.2:latest",
    modified_at: "2026-05-04T17:37:44.706015396-07:00",
    size: 2_019_393_189,
    digest: "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
    details: { parent_model: "", format: "gguf", family: "llama", families: ["llama"], quantization_level: "Q4_K_M" },
    capabilities: ["completion", "tools"],
  },
  {
    name: "nomic-embed-text:v1.5",
    model: "nomic-embed-text:v1.5",
    modified_at: "2026-05-04T17:37:44Z",
    size: 274_302_450,
    details: { family: "nomic-bert", families: ["nomic-bert"], quantization_level: "F16" }, // before capabilities were told
  },
  {
    // It runs at ollama.com, whatever machine it is listed on.
    name: "gpt-oss:120b-cloud",
    model: "gpt-oss:120b-cloud",
    remote_model: "gpt-oss:120b",
    remote_host: "https://ollama.com:443",
    modified_at: "2026-02-07T09:27:22.346234577+08:00",
    size: 405,
    details: { family: "gptoss", families: ["gptoss"], quantization_level: "MXFP4" },
    capabilities: ["completion", "tools", "thinking"],
  },
];

export const ollamaRunning = [
  {
    name: "llama3.2:latest",
    model: "llama3.2:latest",
    size: 3_400_000_000,
    size_vram: 3_400_000_000,
    expires_at: "2026-11-21T16:47:07-07:00",
    context_length: 4_096,
  },
];

export function ollamaStandIn(): ModelServer {
  return new ModelServer({
    pages: {
      "GET /": () => "Ollama is running",
      "GET /api/version": () => ({ version: "0.40.12" }),
      "GET /api/tags": () => ({ models: ollamaTags }),
      "GET /api/ps": () => ({ models: ollamaRunning }),
      "POST /v1/chat/completions": () => ({ ...chatAnswer, model: "llama3.2:latest" }),
    },
  });
}
