/** A stand-in for a server that speaks OpenAI's API and wants a key. What a stream does is test/support/upstream's part. */
import { chatAnswer, ModelServer } from "./stand-in.ts";

export const openAiModels = [
  { id: "gpt-4o-mini", object: "model", created: 1_721_172_741, owned_by: "system" },
  { id: "Qwen/Qwen3-8B", object: "model", created: 1_735_000_000, owned_by: "vllm", max_model_len: 32_768 },
];

export function openAiStandIn(models: readonly object[] = openAiModels): ModelServer {
  return new ModelServer({
    pages: {
      "GET /v1/models": () => ({ object: "list", data: models }),
      "POST /v1/chat/completions": () => ({ ...chatAnswer, model: "gpt-4o-mini" }),
    },
  });
}
