/**
 * Keeps the collateral of the machine that this node runs on, so that visitors need not ask for it: fetched anew before it
 * ends, and kept on disk, so that a node that starts without the network still shows what it had, with its time.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Trouble } from "../../../shared/acme/ports.ts";
import { collateralSchema } from "../../../shared/attestation/collateral.ts";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { writeFileAtomic } from "../../../shared/nodejs/files.ts";
import { validUntilOf } from "./collateral-dates.ts";
import { decideRefreshMs } from "./decide-refresh.ts";
import { fetchPlatformCollateral, type FetchedCollateral } from "./fetch-collateral.ts";
import { readPlatform, type Platform } from "./platform.ts";

export interface CollateralKeeperOptions {
  readonly base: string;
  /** Where it is kept. */
  readonly path: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** There is other collateral, or a trouble, or one less. */
  readonly onChange: () => void;
}

const keptSchema = z.object({
  version: z.literal(1),
  fmspc: z.string(),
  ca: z.enum(["processor", "platform"]),
  retrieved_at: z.int(),
  source: z.string(),
  documents: collateralSchema,
});

export class CollateralKeeper {
  readonly #options: CollateralKeeperOptions;
  #platform: Platform | undefined;
  #held: FetchedCollateral | undefined;
  #failures = 0;
  #problem: string | undefined;
  #wake = new AbortController();
  #first = Promise.withResolvers<void>();

  constructor(options: CollateralKeeperOptions) {
    this.#options = options;
  }

  /** What there is, also when it has ended: it says so itself. */
  get current(): FetchedCollateral | undefined {
    return this.#held;
  }

  /** Resolves when it was asked for once, with whatever success. */
  get settled(): Promise<void> {
    return this.#first.promise;
  }

  get trouble(): Trouble | undefined {
    if (this.#problem === undefined) return undefined;
    const until = this.#held && validUntilOf(this.#held.documents);
    const left =
      until === undefined ? "and there is none" : `and what there is ends at ${new Date(until).toISOString()}`;
    return {
      detail: `Collateral for this machine cannot be fetched, ${left}: ${this.#problem}`,
      remedy: `Let this node reach ${this.#options.base}, or name another service in attestation.collateral.`,
    };
  }

  /** Keeps the collateral of the machine that signed this quote. Throws `evidence-rejected` when it names none. */
  follow(quote: Uint8Array): void {
    const platform = readPlatform(quote);
    if (platform.fmspc === this.#platform?.fmspc && platform.ca === this.#platform.ca) return;
    this.#platform = platform;
    this.#held = readKept(this.#options.path, platform);
    this.#failures = 0;
    if (this.#held) this.#first.resolve();
    this.#wake.abort();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const woken = AbortSignal.any([signal, this.#wake.signal]);
      const platform = this.#platform;
      const waitMs = platform
        ? decideRefreshMs(this.#age, { now: clock.now(), failures: this.#failures, random })
        : never;
      const due =
        waitMs === 0 ||
        (await clock.sleep(waitMs, woken).then(
          () => true,
          () => false,
        ));
      if (due && platform && !signal.aborted) await this.#fetch(platform, woken);
    }
  }

  get #age(): { retrievedAt: number; validUntil: number | undefined } | undefined {
    const held = this.#held;
    return held && { retrievedAt: held.retrieved_at * 1000, validUntil: validUntilOf(held.documents) };
  }

  async #fetch(platform: Platform, signal: AbortSignal): Promise<void> {
    const { log, onChange } = this.#options;
    try {
      const fetched = await fetchPlatformCollateral(platform, { ...this.#options, signal });
      this.#held = fetched;
      this.#failures = 0;
      this.#problem = undefined;
      log.info("collateral.fetched", { source: fetched.source, fmspc: platform.fmspc });
      this.#save({ version: 1, ...platform, ...fetched });
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      this.#problem = errorText(error);
      log.warn("collateral.kept", { error: this.#problem });
    }
    this.#first.resolve();
    onChange();
  }

  #save(kept: z.infer<typeof keptSchema>): void {
    try {
      writeFileAtomic(this.#options.path, JSON.stringify(kept));
    } catch (error) {
      this.#options.log.warn("collateral.unsaved", { error: errorText(error) });
    }
  }
}

/** Until {@link CollateralKeeper.follow} is called. A timer counts milliseconds in 31 bits. */
const never = 2 ** 31 - 1;

function readKept(path: string, { fmspc, ca }: Platform): FetchedCollateral | undefined {
  try {
    const kept = keptSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    if (kept.fmspc !== fmspc || kept.ca !== ca) return undefined;
    const { documents, retrieved_at, source } = kept;
    return { documents, retrieved_at, source };
  } catch {
    return undefined; // nothing was kept, or of another shape
  }
}
