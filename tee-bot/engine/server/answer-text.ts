/** Makes a text and sends it: at once when it is whole, or as events while it is made. */
import { randomBytes } from "node:crypto";
import type { SamplingRequest } from "../api/sampling.ts";
import type { Generated } from "../model/generate.ts";
import type { LoadedModel, TextCall } from "../model/loaded-model.ts";
import { eventOf, sendEvent, sendJson } from "./send.ts";
import type { EngineCall } from "./server.ts";
import type { TextForm } from "./text-form.ts";

export async function answerText(
  { response, signal }: EngineCall,
  request: SamplingRequest,
  model: LoadedModel,
  text: TextCall,
  form: TextForm,
): Promise<void> {
  using slot = await model.take(text, signal);
  const pieces = model.say(slot.item, text, signal);
  const head = {
    id: form.idPrefix + randomBytes(12).toString("hex"),
    created: Math.floor(Date.now() / 1_000),
    model: model.id,
  };
  const promptTokens = text.prompt.tokens.length;
  if (!request.stream) {
    let said = "";
    const end = await forEach(pieces, (piece) => void (said += piece));
    const choices = [form.wholeChoice(said, end.finish)];
    return sendJson(response, { ...head, object: form.whole, choices, usage: usageOf(promptTokens, end) });
  }

  const withUsage = request.stream_options?.include_usage === true;
  const event = (choices: object[], usage: object | null = null): string =>
    eventOf({ ...head, object: form.piece, choices, ...(withUsage && { usage }) });
  // Nothing is sent before the first token, so that until then another provider can be asked.
  let first = true;
  const end = await forEach(pieces, async (piece) => {
    await sendEvent(response, event([form.pieceChoice(piece, null, first)]), signal);
    first = false;
  });
  const usage = withUsage ? event([], usageOf(promptTokens, end)) : "";
  await sendEvent(response, event([form.pieceChoice("", end.finish, first)]) + usage + eventOf("[DONE]"), signal);
  response.end();
}

async function forEach(
  pieces: AsyncGenerator<string, Generated>,
  take: (piece: string) => Promise<void> | void,
): Promise<Generated> {
  try {
    for (;;) {
      const { done, value } = await pieces.next();
      if (done) return value;
      await take(value);
    }
  } finally {
    // So that the sequence rests when the reader was lost.
    await pieces.return(undefined as never);
  }
}

function usageOf(prompt: number, { completionTokens, cachedTokens }: Generated): object {
  return {
    prompt_tokens: prompt,
    completion_tokens: completionTokens,
    total_tokens: prompt + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}
