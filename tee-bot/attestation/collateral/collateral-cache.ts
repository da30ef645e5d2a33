import type { Collateral } from "../../../shared/attestation/collateral.ts";
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import { fetchPlatformCollateral } from "./fetch-collateral.ts";
import { readPlatform } from "./platform.ts";

export interface CollateralCacheOptions {
  /** Of the service that is asked. */
  readonly base: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** News of a weakness may come at any time; what a verifier sees of them is at most so old. */
export const cachedMs = 3_600_000;
/** Of an upstream there are a few kinds of machines. */
const maxPlatforms = 32;

/** Collateral for the quotes of others, many of which come from machines of one kind. */
export class CollateralCache {
  readonly #options: CollateralCacheOptions;
  readonly #held = new Map<string, { readonly documents: Collateral; readonly at: number }>();

  constructor(options: CollateralCacheOptions) {
    this.#options = options;
  }

  /** Undefined: the service does not answer, or the quote names no machine, which a verifier will say better. */
  async get(quote: Uint8Array, signal: AbortSignal): Promise<Collateral | undefined> {
    try {
      const platform = readPlatform(quote);
      const name = `${platform.fmspc} ${platform.ca}`;
      const held = this.#held.get(name);
      if (held && Math.abs(this.#options.clock.now() - held.at) < cachedMs) return held.documents;
      const { documents } = await fetchPlatformCollateral(platform, { ...this.#options, signal });
      this.#keep(name, documents);
      return documents;
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }

  #keep(name: string, documents: Collateral): void {
    this.#held.delete(name);
    this.#held.set(name, { documents, at: this.#options.clock.now() });
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= maxPlatforms) break;
      this.#held.delete(oldest);
    }
  }
}
