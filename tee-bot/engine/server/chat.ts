import { chatRequest } from "../api/chat-request.ts";
import { parseRequest } from "../api/parse.ts";
import { decideSampling, stopsOf } from "../api/sampling.ts";
import { answerText } from "./answer-text.ts";
import type { EngineCall } from "./server.ts";
import { chatForm } from "./text-form.ts";

/** `POST /v1/chat/completions` */
export async function answerChat(call: EngineCall): Promise<void> {
  const request = parseRequest(chatRequest, call.body);
  const model = await call.models.get(request.model);
  const text = {
    prompt: model.chatPrompt(request.messages),
    sampling: decideSampling(request, model.sampling),
    stops: stopsOf(request),
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    format: request.response_format ?? undefined,
  };
  await answerText(call, request, model, text, chatForm);
}
