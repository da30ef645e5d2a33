import type { Clock } from "../../../shared/clock.ts";

/** Lets through `perSecond` on average, and up to `burst` at once after a time of rest. */
export class TokenBucket {
  readonly #options: { perSecond: number; burst: number; clock: Clock };
  #tokens: number;
  #filledAt: number;

  constructor(options: { perSecond: number; burst: number; clock: Clock }) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledAt = options.clock.now();
  }

  /** Takes one, if there is one; else how long until there is. */
  take(): { isTaken: true } | { isTaken: false; waitMs: number } {
    const { perSecond, burst, clock } = this.#options;
    const now = clock.now();
    // A clock that was set back fills nothing.
    const elapsedMs = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(burst, this.#tokens + (elapsedMs * perSecond) / 1_000);
    this.#filledAt = now;
    if (this.#tokens < 1) return { isTaken: false, waitMs: Math.ceil(((1 - this.#tokens) * 1_000) / perSecond) };
    this.#tokens--;
    return { isTaken: true };
  }
}
