export interface TokenBucketOptions {
  /** Tokens that come back in a second. */
  perSecond: number;
  /** Tokens there are when nobody has taken any for a while. */
  burst: number;
}

/** So many at once, and so many a second. Times are milliseconds of one clock that does not matter which. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #at: number;

  constructor(options: TokenBucketOptions, now: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#at = now;
  }

  /** Takes one token when there is one. */
  take(now: number): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes tokens that were spent already. Answers for how many ms to spend nothing more; 0 when some are left. */
  owe(tokens: number, now: number): number {
    this.#refill(now);
    this.#tokens -= tokens;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / this.#options.perSecond);
  }

  #refill(now: number): void {
    const { perSecond, burst } = this.#options;
    const ms = Math.max(0, now - this.#at); // a clock may be set back
    this.#tokens = Math.min(burst, this.#tokens + (ms * perSecond) / 1000);
    this.#at = now;
  }
}
