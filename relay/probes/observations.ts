/** Tells the edge what probes have found: soon, many at once, and until it has heard. */
import { z } from "zod";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import type { Observation } from "../../shared/registry/messages.ts";

/** What is found within it travels together. */
const batchMs = 1_000;
/** Fits into a request with the longest of names and details. */
const maxPerRequest = 100;
const requestMs = 15_000;
const backoff = { baseMs: 1_000, maxMs: 30_000 };

/** Said again it would be refused again. */
const refusals: ReadonlySet<string> = new Set(["bad-request", "too-large", "not-found", "method-not-allowed"]);

export interface ObservationsOptions {
  edge: EdgeClient;
  relay: string;
  clock: Clock;
  random: () => number;
  log: Log;
}

export class Observations {
  readonly #options: ObservationsOptions;
  /** The newest of each path. */
  readonly #waiting = new Map<string, Observation>();
  readonly #stop = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(options: ObservationsOptions) {
    this.#options = options;
  }

  add(observation: Observation): void {
    this.#waiting.set(`${observation.relay} ${observation.hostname}`, observation);
    this.#sending ??= this.#run().finally(() => (this.#sending = undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#sending;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stop;
    const rest = (ms: number): Promise<void> => clock.sleep(ms, signal).catch(() => {});
    let attempt = 0;
    while (this.#waiting.size > 0 && !signal.aborted) {
      await rest(attempt === 0 ? batchMs : decideBackoffMs(attempt, { ...backoff, random }));
      if (!signal.aborted) attempt = (await this.#send(signal)) ? 0 : attempt + 1;
    }
  }

  /** Whether the edge has heard, for good or ill. */
  async #send(stop: AbortSignal): Promise<boolean> {
    const { edge, relay, log } = this.#options;
    const batch = [...this.#waiting].slice(0, maxPerRequest);
    try {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(requestMs)]);
      const body = { observations: batch.map(([, observation]) => observation) };
      await edge.request("PUT", `/v1/relays/${relay}/observations`, z.unknown(), { body, signal });
    } catch (error) {
      if (stop.aborted) return false;
      const isRefused = error instanceof AppError && refusals.has(error.code);
      log.warn(`observations.${isRefused ? "refused" : "kept"}`, { count: batch.length, error: errorText(error) });
      if (!isRefused) return false;
    }
    for (const [key, observation] of batch) if (this.#waiting.get(key) === observation) this.#waiting.delete(key);
    return true;
  }
}
