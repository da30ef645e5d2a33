const remembered = 32;

/** How fast calls come to an end, from the newest of them: tells those that cannot wait when to come back. */
export class EndRate {
  readonly #ends = new Float64Array(remembered);
  #count = 0;

  ended(now: number): void {
    this.#ends[this.#count++ % remembered] = now;
  }

  /** How long until so many calls have ended; undefined while too few have. */
  msUntil(calls: number, now: number): number | undefined {
    const known = Math.min(this.#count, remembered);
    if (known < 2) return undefined;
    const oldest = this.#ends[(this.#count - known) % remembered] ?? now;
    return ((now - oldest) / known) * calls;
  }
}
