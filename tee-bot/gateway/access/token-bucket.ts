/**
 * A bucket that holds one minute's worth and fills evenly. Its level may fall below nothing, for what a call costs is known
 * at its end only; then it takes longer until the next one. rate-limiter-flexible counts in windows that begin anew, has
 * a timer for each key and gives a promise for each call, and cannot take a part back.
 */
export class TokenBucket {
  readonly capacity: number;
  #level: number;
  #at: number;

  constructor(perMinute: number, now: number) {
    this.capacity = perMinute;
    this.#level = perMinute;
    this.#at = now;
  }

  /** What is in it; negative when more was taken than there was. */
  level(now: number): number {
    if (now > this.#at) {
      this.#level = Math.min(this.capacity, this.#level + ((now - this.#at) * this.capacity) / 60_000);
      this.#at = now;
    }
    return this.#level;
  }

  /** Whether so much can be taken; of more than fits in, whether the bucket is full, or it could never be. */
  has(amount: number, now: number): boolean {
    return this.level(now) >= Math.min(amount, this.capacity) - rounding;
  }

  /** Takes it, whether there is so much or not; a negative amount is given back. */
  take(amount: number, now: number): void {
    this.#level = Math.min(this.capacity, this.level(now) - amount);
  }

  /** How long until {@link has} holds. */
  msUntil(amount: number, now: number): number {
    const missing = Math.min(amount, this.capacity) - this.level(now);
    return missing <= 0 ? 0 : Math.ceil((missing * 60_000) / this.capacity);
  }
}

/** Of sums of fractions. */
const rounding = 1e-6;
