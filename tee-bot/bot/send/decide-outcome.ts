/**
 * What becomes of a reply after an attempt. The rule above all: what may have gone out is not sent again, since a second
 * message has a timestamp of its own and Signal shows both. A delivery receipt could show afterwards that it did, but not which
 * of several messages it belongs to (the server's other clients send too, and its timestamp is not known), so it is no evidence.
 */
import { decideBackoffMs } from "../../../shared/backoff.ts";
import type { DeadLetter } from "../mail/mailbox.ts";
import type { SentMessage } from "./answers.ts";
import type { FailureKind } from "./signal-failure.ts";

export type Outcome =
  | { readonly kind: "sent"; readonly timestamp: number }
  /** It has certainly not gone out. */
  | { readonly kind: "again"; readonly reason: FailureKind; readonly delayMs: number }
  | { readonly kind: "over"; readonly why: DeadLetter["why"]; readonly reason: FailureKind };

export interface Attempt {
  /** Times it failed in the same way just before, in this process. */
  repeats: number;
  now: number;
  expiresAt: number;
  random: () => number;
}

/** A server that has just started refuses what it takes a little later; after these it is the message. */
const maxRefusals = 6;
const refusedPause = { baseMs: 1_000, maxMs: 60_000 };
const droppedMs = 1_000;
/** Until somebody has looked at the new safety number. */
const untrustedPause = { baseMs: 30_000, maxMs: 5 * 60_000 };

export function decideOutcome(kind: FailureKind, { repeats, now, expiresAt, random }: Attempt): Outcome {
  const again = (delayMs: number): Outcome =>
    now + delayMs < expiresAt ? { kind: "again", reason: kind, delayMs } : { kind: "over", why: "age", reason: kind };
  switch (kind) {
    case "unknown":
    case "too-large": // it was done, or not: only what was said of it is too long
      return { kind: "over", why: "undecidable", reason: kind };
    case "unregistered":
      return { kind: "over", why: "refused", reason: kind };
    case "refused":
    case "absent":
      if (repeats + 1 >= maxRefusals) return { kind: "over", why: "refused", reason: kind };
      return again(decideBackoffMs(repeats, { ...refusedPause, random }));
    case "network": // signal-cli says that it failed; whether Signal agrees is between those two
    case "misplaced":
      return again(decideBackoffMs(repeats, { ...refusedPause, random }));
    case "untrusted":
      return again(decideBackoffMs(repeats, { ...untrustedPause, random }));
    case "rate-limited":
    case "unreachable":
      return again(0); // the breaker knows when
    case "dropped":
      return again(droppedMs);
  }
}

/** Of a direct chat: it was sent to nobody else, so a failure with this person is that of the message. */
export function decideDirectFailure({ failures }: SentMessage): FailureKind | undefined {
  const [failure] = failures;
  return failure && (failureOfReason[failure.reason] ?? "refused");
}

/** signal-cli's reasons, per recipient. */
const failureOfReason: Readonly<Record<string, FailureKind>> = {
  NETWORK_FAILURE: "network",
  UNREGISTERED_FAILURE: "unregistered",
  IDENTITY_FAILURE: "untrusted",
  RATE_LIMIT_FAILURE: "rate-limited",
  INVALID_PRE_KEY_FAILURE: "refused",
};

/** Of a group: those it did not reach do not stop it, but somebody should know. */
export function groupFailures({ failures }: SentMessage): FailureKind[] {
  return [...new Set(failures.map(({ reason }) => failureOfReason[reason] ?? "refused"))];
}
