/** The objects that Ollama's API answers with. https://docs.ollama.com/api */
import type { OllamaCallKind } from "./endpoints.ts";

/** What is known of the call that is answered. */
export interface AnswerFacts {
  readonly kind: OllamaCallKind;
  /** As the client named it. */
  readonly model: string;
  readonly estimatedPromptTokens: number;
  /** Milliseconds of a monotonic clock. */
  readonly startedAt: number;
  readonly now: () => number;
  readonly date: () => Date;
}

export interface Part {
  readonly text?: string;
  readonly thinking?: string;
  readonly toolCalls?: readonly object[];
}

/** How it ended. */
export interface Ending {
  readonly reason: string;
  readonly prompt: number;
  readonly completion: number;
  /** When the first token came; undefined: nobody saw. */
  readonly firstTokenAt: number | undefined;
}

/** One piece of a chat or a generation; with `ending` the last one. */
export function pieceOf(facts: AnswerFacts, { text = "", thinking, toolCalls }: Part, ending?: Ending): object {
  const thought = thinking ? { thinking } : {};
  const said =
    facts.kind === "chat"
      ? { message: { role: "assistant", content: text, ...thought, ...(toolCalls && { tool_calls: toolCalls }) } }
      : { response: text, ...thought };
  return {
    model: facts.model,
    created_at: facts.date().toISOString(),
    ...said,
    done: ending !== undefined,
    ...(ending && endOf(facts, ending)),
  };
}

/** Durations are nanoseconds. Nobody tells how long a model took to load, so that is 0. */
function endOf({ startedAt, now }: AnswerFacts, { reason, prompt, completion, firstTokenAt }: Ending): object {
  const end = now();
  const first = firstTokenAt ?? end;
  return {
    done_reason: reason,
    total_duration: nanoseconds(end - startedAt),
    load_duration: 0,
    prompt_eval_count: prompt,
    prompt_eval_duration: nanoseconds(first - startedAt),
    eval_count: completion,
    eval_duration: nanoseconds(end - first),
  };
}

export function nanoseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1e6));
}

/** `tool_calls` and others are no reasons that Ollama has. */
export function doneReason(finishReason: string | undefined): string {
  return finishReason === undefined || finishReason === "tool_calls" || finishReason === "function_call"
    ? "stop"
    : finishReason;
}
