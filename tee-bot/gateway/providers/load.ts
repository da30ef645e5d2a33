const newestShare = 0.2;
/** A measurement says little about what is true much later: then the provider is tried again. */
const forgetAfterMs = 60_000;

/** How busy a provider is, and how soon it has begun to answer lately. */
export class Load {
  outstanding = 0;
  #firstByteMs = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;

  measured(firstByteMs: number, now: number): void {
    const isFirst = this.firstByteMs(now) === undefined;
    this.#firstByteMs = isFirst ? firstByteMs : this.#firstByteMs + newestShare * (firstByteMs - this.#firstByteMs);
    this.#measuredAt = now;
  }

  /** A moving average; undefined: not known. */
  firstByteMs(now: number): number | undefined {
    return now - this.#measuredAt > forgetAfterMs ? undefined : this.#firstByteMs;
  }
}
