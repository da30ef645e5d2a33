import type { Clock } from "../../shared/clock.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface SharesOptions {
  /** New ones of one key in a second, and at once. */
  perSecond: number;
  burst: number;
  /** Open ones of one key. */
  maxOpen: number;
  clock: Clock;
  /** Keys whose rate is remembered; the one not seen for longest is forgotten first. */
  maxKeys?: number;
}

const defaultMaxKeys = 50_000;

/** What each of many may have of this relay, by a key such as its network: a rate of new connections, and a number of open ones. */
export class Shares {
  readonly #options: Required<SharesOptions>;
  /** In the order of their last use. */
  readonly #rates = new Map<string, TokenBucket>();
  readonly #open = new Map<string, number>();

  constructor(options: SharesOptions) {
    this.#options = { maxKeys: defaultMaxKeys, ...options };
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#rates.size;
  }

  /** Counts one in, or answers why not. Who was let in must leave. */
  enter(key: string): "rate" | "full" | undefined {
    const open = this.#open.get(key) ?? 0;
    if (!this.#rateOf(key).take(this.#options.clock.now())) return "rate";
    if (open >= this.#options.maxOpen) return "full";
    this.#open.set(key, open + 1);
    return undefined;
  }

  leave(key: string): void {
    const open = (this.#open.get(key) ?? 0) - 1;
    if (open > 0) this.#open.set(key, open);
    else this.#open.delete(key);
  }

  #rateOf(key: string): TokenBucket {
    const { maxKeys, clock } = this.#options;
    const rate = this.#rates.get(key) ?? new TokenBucket(this.#options, clock.now());
    this.#rates.delete(key);
    this.#rates.set(key, rate);
    if (this.#rates.size > maxKeys)
      for (const oldest of this.#rates.keys()) {
        this.#rates.delete(oldest);
        break;
      }
    return rate;
  }
}
