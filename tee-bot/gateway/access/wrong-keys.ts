import { TokenBucket } from "./token-bucket.ts";

const perMinute = 20;
const maxAddresses = 10_000;

/**
 * Counts keys that nobody has, by the address that shows them. A key cannot be guessed, whatever the rate; this keeps the
 * log short and tells a client that goes on and on to stop. Good keys are let through from the same address.
 */
export class WrongKeys {
  /** The address that was heard of longest ago first. */
  readonly #buckets = new Map<string, TokenBucket>();

  /** Counts one; how long the address should wait, or undefined while it has shown few. */
  count(address: string, now: number): number | undefined {
    const bucket = this.#buckets.get(address) ?? new TokenBucket(perMinute, now);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > maxAddresses) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    if (!bucket.has(1, now)) return bucket.msUntil(1, now);
    bucket.take(1, now);
    return undefined;
  }
}
