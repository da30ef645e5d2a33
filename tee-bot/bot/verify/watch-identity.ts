/**
 * Keeps up with the bot's Signal identity, which stands in the node's evidence. It comes with the account, and changes when
 * that is registered anew.
 */
import { decideBackoffMs } from "../../../shared/backoff.ts";
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { SignalIdentity } from "../../attestation/evidence/keyset.ts";
import { decideOwnIdentity, type ListedIdentity } from "./decide-identity.ts";

export interface WatchIdentityOptions {
  /** `GET /v1/identities/{account}`, with a deadline of its own. */
  readonly list: (account: string, signal: AbortSignal) => Promise<readonly ListedIdentity[]>;
  /** The bot's number; undefined: not known yet. */
  readonly account: () => string | undefined;
  /** Undefined: there is none that is certain. */
  readonly onIdentity: (identity: SignalIdentity | undefined) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export const identityIntervalMs = 10 * 60_000;
const retry = { baseMs: 2_000, maxMs: 2 * 60_000 };

/** Looks again and again until the signal aborts. While signal-cli does not answer, what was known goes on being so. */
export async function watchIdentity(options: WatchIdentityOptions, signal: AbortSignal): Promise<void> {
  const { clock, random } = options;
  let known: SignalIdentity | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const seen = await look(options, signal);
    if (signal.aborted) return;
    if (seen !== "unseen" && JSON.stringify(seen) !== JSON.stringify(known)) {
      known = seen;
      options.log.info("signal-identity.changed", { isKnown: seen !== undefined });
      options.onIdentity(seen);
    }
    failures = seen === "unseen" || seen === undefined ? failures + 1 : 0;
    const waitMs = failures === 0 ? identityIntervalMs : decideBackoffMs(failures - 1, { ...retry, random });
    await clock.sleep(waitMs, signal).catch(() => {});
  }
}

async function look(
  { list, account, log }: WatchIdentityOptions,
  signal: AbortSignal,
): Promise<SignalIdentity | undefined | "unseen"> {
  const number = account();
  if (number === undefined) return "unseen";
  try {
    return decideOwnIdentity(await list(number, signal), number);
  } catch (error) {
    log.debug("signal-identity.unseen", { error: error instanceof AppError ? error.code : errorName(error) });
    return "unseen";
  }
}

/** What an error of the REST server says may name people. */
const errorName = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
