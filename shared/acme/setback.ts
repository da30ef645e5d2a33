/** What a failure of a CA does to an order. */
import type { CaFailure } from "./ca.ts";
import { endAs, failAttempt, failingNow, failWith, hasFailed, waitFor, type Context, type Move } from "./move.ts";
import type { Progress } from "./progress.ts";
import { troubleOf } from "./trouble.ts";
import { caName, lengthInWords, timeInWords } from "./words.ts";
import { decideBackoffMs } from "../backoff.ts";

const unavailableBackoff = { baseMs: 2_000, maxMs: 10 * 60_000 };
const rateLimitedBackoff = { baseMs: 2 * 60_000, maxMs: 60 * 60_000 };
const restartBackoff = { baseMs: 10_000, maxMs: 10 * 60_000 };
/** A CA that is away for longer ends the order. */
const unavailablePatienceMs = 24 * 3_600_000;
/** Another CA, where there is one, takes over the order of a CA that is away, or says no, for longer. */
const changePatienceMs = 30 * 60_000;
const passedOverMs = 6 * 3_600_000;
const maxRestarts = 5;

/** Types of refusal that a new order meets again. */
const finalTypes = new Set([
  "badCSR",
  "badPublicKey",
  "externalAccountRequired",
  "invalidContact",
  "rejectedIdentifier",
  "unsupportedContact",
  "unsupportedIdentifier",
  "userActionRequired",
]);

export const isFinal = ({ type }: CaFailure): boolean => type !== undefined && finalTypes.has(type);

/** The move after a CA with this directory has failed to do what the stage wanted. */
export function afterFailure(context: Context, failure: CaFailure, directory: string): Move {
  switch (failure.kind) {
    case "unavailable":
      return afterSilence(context, failure, directory);
    case "rate-limited":
      return afterLimit(context, failure, directory);
    case "account":
    case "gone":
      return restart(context, failure, directory);
    case "refused":
      return isFinal(failure)
        ? failWith(context, troubleOf(failure, directory))
        : failAttempt(context, troubleOf(failure, directory));
  }
}

function afterSilence(context: Context, failure: CaFailure, directory: string): Move {
  const { parts, now } = context;
  const failing = failingNow(context);
  const trouble = troubleOf(failure, directory);
  if (hasFailed(context, unavailablePatienceMs)) return failWith(context, trouble);
  if (hasFailed(context, changePatienceMs) && parts.issuing.length > 1)
    return changeCa(context, directory, now + passedOverMs);
  const ms = Math.max(
    failure.retryAfterMs ?? 0,
    decideBackoffMs(failing.times - 1, { ...unavailableBackoff, random: parts.random }),
  );
  const words = `waiting for ${caName(directory)}, which does not answer: next try in ${lengthInWords(ms)}`;
  return waitFor(context, { ms, words, trouble, changes: { failing } });
}

function afterLimit(context: Context, failure: CaFailure, directory: string): Move {
  const { parts, now } = context;
  const failing = failingNow(context);
  const backoffMs = decideBackoffMs(failing.times - 1, { ...rateLimitedBackoff, random: parts.random });
  const ms = failure.retryAfterMs ?? backoffMs;
  if (ms > changePatienceMs && parts.issuing.length > 1) return changeCa(context, directory, now + ms);
  const words = `waiting until ${timeInWords(now + ms)}, when ${caName(directory)} takes requests again`;
  return waitFor(context, { ms, words, trouble: troubleOf(failure, directory), changes: { failing } });
}

/** Begins anew at another CA; this one is passed over until then. */
function changeCa(context: Context, directory: string, until: number): Move {
  return endAs(context, { kind: "again", at: context.now }, `leaving ${caName(directory)} for another CA`, {
    passedOver: passOver(context, { directory, until, refused: false }),
  });
}

export type PassedOver = Progress["passedOver"][number];
/** A refusal is remembered for longer than an order lives. */
export const refusedMs = 72 * 3_600_000;

/** Those that are passed over from now on. */
export function passOver({ progress, now }: Context, entry: PassedOver): PassedOver[] {
  const until = Math.min(entry.until, now + refusedMs);
  return [...progress.passedOver.filter(({ directory }) => directory !== entry.directory), { ...entry, until }];
}

/** Later than can be, after the clock was set back, is as good as not at all. */
export function isPassedOver({ progress, now }: Context, wanted: string): boolean {
  return progress.passedOver.some(
    ({ directory, until }) => directory === wanted && until > now && until <= now + refusedMs,
  );
}

/** The CA has forgotten the order, or the account: a new one, at once the first time. */
export function restart(context: Context, failure: CaFailure, directory: string): Move {
  const { progress, parts, now } = context;
  const trouble = troubleOf(failure, directory);
  if (progress.restarts >= maxRestarts) return failWith(context, trouble);
  const delayMs =
    progress.restarts === 0 ? 0 : decideBackoffMs(progress.restarts, { ...restartBackoff, random: parts.random });
  return endAs(context, { kind: "again", at: now + delayMs }, "beginning anew", {
    restarts: progress.restarts + 1,
    trouble,
  });
}
