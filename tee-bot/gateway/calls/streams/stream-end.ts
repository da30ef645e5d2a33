/** Whether a stream came to its proper end: the connection's end alone says nothing, for that may be anybody's crash. */
import type { StreamForm } from "../../api/endpoints.ts";

/** `error`: the provider itself said that it failed, in a form that clients see. */
export type StreamEnd = "proper" | "error" | "missing";

/** So much of a stream's end is looked at. */
export const streamTailBytes = 8 * 1024;

/** `tail`: the last complete events. */
export function decideStreamEnd(form: StreamForm, tail: string): StreamEnd {
  if (form === "responses") return endOfResponses(tail);
  if (form === "ollama-lines") return endOfLines(tail);
  if (saysError(tail) || /"finish_reason"\s*:\s*"error"/.test(tail)) return "error";
  return /^data: ?\[DONE\]/m.test(tail) || everyChoiceFinished(tail) ? "proper" : "missing";
}

// An unescaped quote cannot stand in generated text, so the names below are never found in it.
const errorEvent = /^(event: ?error\b|data: ?\{\s*("type"\s*:\s*"error"|"error"\s*:\s*[{"]))/m;
const saysError = (tail: string): boolean => errorEvent.test(tail);

function endOfResponses(tail: string): StreamEnd {
  if (/"response\.failed"/.test(tail) || saysError(tail)) return "error";
  return /"response\.(completed|incomplete)"/.test(tail) ? "proper" : "missing";
}

function endOfLines(tail: string): StreamEnd {
  if (/^\s*\{\s*"error"\s*:/m.test(tail)) return "error";
  return /"done"\s*:\s*true/.test(tail) ? "proper" : "missing";
}

/** With `n` choices each has an end of its own. */
function everyChoiceFinished(tail: string): boolean {
  if (!/"finish_reason"\s*:\s*"/.test(tail)) return false;
  const finished = new Map<unknown, boolean>();
  for (const [, data = ""] of tail.matchAll(/^data: ?(\{.*)$/gm)) {
    for (const { index, finish_reason: reason } of choicesOf(data))
      finished.set(index, finished.get(index) === true || typeof reason === "string");
  }
  return finished.size > 0 && [...finished.values()].every(Boolean);
}

interface Choice {
  readonly index?: unknown;
  readonly finish_reason?: unknown;
}

function choicesOf(data: string): readonly Choice[] {
  try {
    const { choices } = JSON.parse(data) as { choices?: unknown };
    return Array.isArray(choices) ? (choices as Choice[]).filter((one) => typeof one === "object" && one !== null) : [];
  } catch {
    return []; // the first line of the tail may be half an event
  }
}
