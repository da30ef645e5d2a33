/** What becomes of a mail on which the work has failed: rules only. */
import { AppError, type ErrorCode } from "../../../shared/errors.ts";
import { ModelError, passingTroubles } from "../model/model-error.ts";
import type { Ending } from "./runs.ts";

export type Setback =
  /** Its author does not want an answer any more. */
  | { readonly kind: "drop" }
  | { readonly kind: "postpone"; readonly reason: string; readonly delayMs: number; readonly isCounted: boolean }
  /** There will be no better answer than this sentence. */
  | {
      readonly kind: "say";
      readonly reason: string;
      readonly sentence: string;
      readonly requestId?: string | undefined;
    };

export interface SetbackFacts {
  /** Who ended the work; undefined: nobody, it failed. */
  readonly ending: Ending | undefined;
  /** How often the mail was in hand before. */
  readonly attempts: number;
  /** As many as the mailbox allows. */
  readonly maxAttempts: number;
  /** For how long the store of conversations has been away. */
  readonly storeAwayMs: number;
}

/** A model that is away for a moment is asked again after so long; whoever waits longer would rather be told. */
export const modelRetriesMs = [2_000, 8_000, 30_000] as const;
/** Something here went wrong, which a second look may not meet. */
export const otherRetriesMs = [1_000, 10_000] as const;
const storeRetry = { leastMs: 500, mostMs: 15_000 };

/** A model that asks for a longer pause is not waited for: the person is told. */
const longestRetryMs = 60_000;
const storeTroubles: ReadonlySet<ErrorCode> = new Set(["upstream-unavailable", "upstream-timeout", "overloaded"]);
const ownFault = "Something went wrong here, so there is no answer. Send !retry to try again.";

export function decideSetback(error: unknown, facts: SetbackFacts): Setback {
  const { ending, attempts, maxAttempts, storeAwayMs } = facts;
  if (ending === "stopping") return { kind: "postpone", reason: "stopping", delayMs: 0, isCounted: false };
  if (ending) return { kind: "drop" };
  if (isStoreTrouble(error)) return postponeForStore(error, storeAwayMs);
  const delayMs = attempts + 1 < maxAttempts ? retryMs(error, attempts) : undefined;
  const reason = reasonOf(error);
  if (delayMs !== undefined) return { kind: "postpone", reason, delayMs, isCounted: true };
  if (error instanceof ModelError) return { kind: "say", reason, sentence: error.sentence, requestId: error.requestId };
  return { kind: "say", reason, sentence: ownFault };
}

/** The store of conversations or of people is away: no mail's fault, and to be waited for. */
export function isStoreTrouble(error: unknown): error is AppError {
  return error instanceof AppError && storeTroubles.has(error.code);
}

/** A class of failure, for logs and lists. */
export function reasonOf(error: unknown): string {
  if (error instanceof ModelError) return `model-${error.trouble}`;
  if (error instanceof AppError) return error.code;
  return "internal";
}

/** Undefined: it would be the same again, or too late. A model that took too long has had its time. */
function retryMs(error: unknown, attempts: number): number | undefined {
  if (!(error instanceof ModelError)) return otherRetriesMs[attempts];
  if (error.trouble === "timeout" || !passingTroubles.includes(error.trouble)) return undefined;
  const usualMs = modelRetriesMs[attempts];
  if (usualMs === undefined) return undefined;
  const delayMs = Math.max(usualMs, error.retryAfterMs ?? 0);
  return delayMs <= longestRetryMs ? delayMs : undefined;
}

/** The longer it is away, the less often it is asked. */
function postponeForStore({ code }: AppError, storeAwayMs: number): Setback {
  const delayMs = Math.min(storeRetry.mostMs, Math.max(storeRetry.leastMs, storeAwayMs / 2));
  return { kind: "postpone", reason: `store-${code}`, delayMs, isCounted: false };
}
