export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** Whoever is forgotten begins anew, so there is room for all who are busy. */
const maxNames = 1_000;

/**
 * Who has how much left of a rate (GCRA). In memory only: an object that was idle for some seconds is evicted, and all
 * begin anew.
 */
export class Rates {
  /** Name → when all of its burst is there again, in ms since the Unix epoch. */
  readonly #wholeAt = new Map<string, number>();

  /** Whether `name` may do one thing more now; then it is counted. */
  take(name: string, { perSecond, burst }: RateLimit, now: number): boolean {
    const eachMs = 1_000 / perSecond;
    const wholeAt = Math.max(this.#wholeAt.get(name) ?? 0, now);
    if (wholeAt - now > (burst - 1) * eachMs) return false;
    this.#wholeAt.delete(name); // to the end of the order
    this.#wholeAt.set(name, wholeAt + eachMs);
    for (const oldest of this.#wholeAt.keys()) {
      if (this.#wholeAt.size <= maxNames) break;
      this.#wholeAt.delete(oldest);
    }
    return true;
  }
}
