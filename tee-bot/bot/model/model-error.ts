/** Why a model gave no answer, and what the person is told of it. */
import { z } from "zod";

/** Each has a sentence of its own. Those of {@link passingTroubles} may be gone when the same is asked again. */
export type ModelTrouble =
  | "rate-limited"
  | "auth"
  | "outage"
  | "timeout"
  | "too-long"
  | "no-model"
  | "privacy"
  | "refused";

export const passingTroubles: readonly ModelTrouble[] = ["rate-limited", "outage", "timeout"];

export interface FailedCall {
  /** Of the call, where the gateway gave it one. */
  readonly requestId?: string | undefined;
  /** When it may be better, where that was said. */
  readonly retryAfterMs?: number | undefined;
}

/** Carries nothing of what was asked or answered. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly trouble: ModelTrouble;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(trouble: ModelTrouble, { requestId, retryAfterMs }: FailedCall = {}) {
    super(`${trouble}: the model gave no answer`);
    this.trouble = trouble;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }

  /** For the person: what happened, and what to do. */
  get sentence(): string {
    if (this.trouble !== "rate-limited") return sentences[this.trouble];
    const when = this.retryAfterMs === undefined ? "a minute" : inWords(this.retryAfterMs);
    return `The model has more to do than it takes. Please ask again in ${when}.`;
  }
}

const sentences: Readonly<Record<Exclude<ModelTrouble, "rate-limited">, string>> = {
  auth: "The model's provider does not take this node's key. Only its operator can mend that.",
  outage: "The model cannot be reached just now. Please try again in a minute, or choose another with `!models`.",
  timeout: "The model took too long. Please try again, or ask for less at once.",
  "too-long": "This conversation is longer than the model takes. `!clear` begins a new one.",
  "no-model": "The model that this chat uses is not there now. `!models` lists those that are.",
  privacy: "The privacy rule of this bot allows no model that is there now. `!models` lists those that are.",
  refused: "The model did not take this question. Please say it in another way, or choose another with `!models`.",
};

function inWords(ms: number): string {
  const [count, unit] = inUnit(ms);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function inUnit(ms: number): [count: number, unit: string] {
  if (ms < 90_000) return [Math.max(1, Math.ceil(ms / 1_000)), "second"];
  if (ms < 5_400_000) return [Math.round(ms / 60_000), "minute"];
  return [Math.round(ms / 3_600_000), "hour"];
}

/** By the gateway's own codes; providers pass others on, in the same form. */
const troubleOfCode: Readonly<Record<string, ModelTrouble>> = {
  invalid_api_key: "auth",
  upstream_refused_key: "auth",
  model_not_allowed: "auth",
  rate_limit_exceeded: "rate-limited",
  insufficient_quota: "rate-limited",
  model_not_found: "no-model",
  privacy_rule: "privacy",
  evidence_rejected: "privacy",
  body_too_large: "too-long",
  context_length_exceeded: "too-long",
  upstream_timeout: "timeout",
  request_timeout: "timeout",
};

const saidSchema = z.object({ error: z.object({ code: z.unknown(), message: z.unknown() }) });

/**
 * `said`: the body of an error answer, or the event that ends a stream. Its words are looked at and not passed on, for
 * they may quote what was asked.
 */
export function decideTrouble(status: number | undefined, said: unknown): ModelTrouble {
  const { code, message } = saidSchema.safeParse(said).data?.error ?? {};
  const known = typeof code === "string" && Object.hasOwn(troubleOfCode, code) ? troubleOfCode[code] : undefined;
  if (known) return known;
  if (status === 401 || status === 403) return "auth";
  if (status === 413) return "too-long";
  if (status === 429) return "rate-limited";
  if (status === 408 || status === 504) return "timeout";
  if (status !== undefined && status >= 400 && status < 500) return saysTooLong(message) ? "too-long" : "refused";
  return "outage";
}

/** llama-server, vLLM and Ollama have no code for it. */
function saysTooLong(message: unknown): boolean {
  return typeof message === "string" && /context (length|window|size)|maximum context|too long/i.test(message);
}
