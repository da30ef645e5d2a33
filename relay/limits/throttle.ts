import { Transform, type TransformCallback } from "node:stream";
import type { Clock } from "../../shared/clock.ts";
import type { TokenBucket } from "./token-bucket.ts";

/** Passes bytes on as they are, no faster than a bucket allows that it may share with others; reading waits with it. */
export class Throttle extends Transform {
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  readonly #gone = new AbortController();

  constructor(bucket: TokenBucket, clock: Clock) {
    super();
    this.#bucket = bucket;
    this.#clock = clock;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    const waitMs = this.#bucket.owe(chunk.length, this.#clock.now());
    if (waitMs === 0) done(null, chunk);
    else void this.#passLater(chunk, waitMs, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#gone.abort();
    done(error);
  }

  async #passLater(chunk: Buffer, waitMs: number, done: TransformCallback): Promise<void> {
    await this.#clock.sleep(waitMs, this.#gone.signal).catch(() => {});
    if (!this.destroyed) done(null, chunk);
  }
}
