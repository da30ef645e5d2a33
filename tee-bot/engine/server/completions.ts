import { completionRequest, usualCompletionTokens } from "../api/completion-request.ts";
import { parseRequest } from "../api/parse.ts";
import { decideSampling, stopsOf } from "../api/sampling.ts";
import { answerText } from "./answer-text.ts";
import type { EngineCall } from "./server.ts";
import { completionForm } from "./text-form.ts";

/** `POST /v1/completions` */
export async function answerCompletion(call: EngineCall): Promise<void> {
  const request = parseRequest(completionRequest, call.body);
  const model = await call.models.get(request.model);
  const text = {
    prompt: model.textPrompt(request.prompt),
    sampling: decideSampling(request, model.sampling),
    stops: stopsOf(request),
    maxTokens: request.max_tokens ?? usualCompletionTokens,
    format: undefined,
  };
  await answerText(call, request, model, text, completionForm);
}
