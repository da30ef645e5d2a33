/**
 * Keeps calls away from a provider that fails. It opens after some failures in a row, or when half of the last ones
 * failed; after a while it lets exactly one call try (half-open), and closes when that one succeeds. Times are passed in.
 */
import { decideBackoffMs } from "../../../shared/backoff.ts";
import { RecentOutcomes } from "./recent-outcomes.ts";

const maxFailuresInRow = 3;
const minAttempts = 10;
const maxFailedShare = 0.5;
/** What fails at once costs its probe little, so it is probed often, and used soon after it is well. */
const openMs = { baseMs: 5_000, maxMs: 15_000 };
const maxOpenMs = 60_000;

/** Why the breaker opens after these attempts; undefined: it does not. */
export function decideTrip({ inRow, succeeded, failed }: Record<"inRow" | "succeeded" | "failed", number>) {
  if (inRow >= maxFailuresInRow) return `${inRow} failures in a row`;
  const all = succeeded + failed;
  if (all >= minAttempts && failed >= all * maxFailedShare) return `${failed} of ${all} attempts failed`;
  return undefined;
}

/** Why it opens for longer than it would by itself. */
export interface OpenWish {
  /** The provider asked for it. */
  readonly retryAfterMs?: number | undefined;
  /** What the failed probe has cost who made it: a silent provider is left alone for as long again. */
  readonly probeTookMs?: number | undefined;
}

/** For how long it opens, when it has been open `times` times without a success since. */
export function decideOpenMs(times: number, { retryAfterMs, probeTookMs = 0 }: OpenWish, random: () => number): number {
  if (retryAfterMs !== undefined) return Math.min(Math.max(0, retryAfterMs), maxOpenMs);
  return Math.min(maxOpenMs, Math.max(probeTookMs, decideBackoffMs(times, { ...openMs, random })));
}

/** An attempt that was let through; the probe is the one that decides whether a half-open breaker closes. */
export type Pass = "call" | "probe";

export interface BreakerView {
  readonly state: "closed" | "open" | "half-open";
  /** Until somebody is let through. */
  readonly retryInMs: number;
  /** Why it is not closed. */
  readonly reason: string | undefined;
}

const closed: BreakerView = { state: "closed", retryInMs: 0, reason: undefined };
/** What a probe under way makes others wait for: a guess at its end. */
const probeMs = 1_000;

export class Breaker {
  readonly #random: () => number;
  readonly #recent = new RecentOutcomes();
  #state: BreakerView["state"] = "closed";
  #openUntil = 0;
  #timesOpened = 0;
  #probing = false;
  #probedAt = 0;
  #reason: string | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  view(now: number): BreakerView {
    if (this.#state === "closed") return closed;
    const waitMs = this.#waitMs(now);
    if (waitMs > 0) return { state: "open", retryInMs: waitMs, reason: this.#reason };
    return { state: "half-open", retryInMs: this.#probing ? probeMs : 0, reason: this.#reason };
  }

  /** Undefined: the attempt must not be made. */
  admit(now: number): Pass | undefined {
    if (this.#state === "closed") return "call";
    if (this.#probing || this.#waitMs(now) > 0) return undefined;
    this.#state = "half-open";
    this.#probing = true;
    this.#probedAt = now;
    return "probe";
  }

  succeeded(pass: Pass, now: number): void {
    if (pass === "probe") return this.reset();
    if (this.#state === "closed") this.#recent.add("succeeded", now); // else it began before, and proves nothing now
  }

  failed(pass: Pass, now: number, retryAfterMs?: number): void {
    if (pass === "probe")
      return this.#open(now, { retryAfterMs, probeTookMs: now - this.#probedAt }, "its probe failed");
    if (this.#state !== "closed") return;
    this.#recent.add("failed", now);
    const trip = decideTrip({ inRow: this.#recent.failuresInRow, ...this.#recent.count(now) });
    if (retryAfterMs !== undefined) this.#open(now, { retryAfterMs }, "it asked to be left alone");
    else if (trip !== undefined) this.#open(now, {}, trip);
  }

  abandoned(pass: Pass): void {
    if (pass === "probe") this.#probing = false;
  }

  /** Everything is as at the beginning: what failed has come back, as its listing shows. */
  reset(): void {
    this.#state = "closed";
    this.#timesOpened = 0;
    this.#probing = false;
    this.#recent.forget();
  }

  #open(now: number, wish: OpenWish, reason: string): void {
    this.#state = "open";
    this.#openUntil = now + decideOpenMs(this.#timesOpened++, wish, this.#random);
    this.#probing = false;
    this.#reason = reason;
  }

  /** A clock that was set back does not prolong it beyond the longest. */
  #waitMs(now: number): number {
    return Math.min(this.#openUntil - now, maxOpenMs);
  }
}
