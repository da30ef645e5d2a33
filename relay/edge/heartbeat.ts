/** Tells the edge that this relay is here and how busy it is; nodes are sent only to relays that do. */
import { decideReconnectMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { relayStatusAnswerSchema, type FleetRelay, type RelayStatusReport } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

const minIntervalMs = 500;
const maxIntervalMs = 5 * 60_000;
const requestMs = 5_000;

export interface HeartbeatOptions {
  edge: EdgeClient;
  relay: NodeId;
  report: () => RelayStatusReport;
  /** The edge names the other relays whose heartbeats come. */
  onFleet: (relays: FleetRelay[]) => void;
  clock: Clock;
  random: () => number;
  log: Log;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #acceptedAt: number | undefined;
  #accept: () => void = () => {};
  /** Resolves once the edge has accepted the first one. */
  readonly accepted: Promise<void> = new Promise((resolve) => (this.#accept = resolve));

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** When the edge last accepted one; undefined before the first time. */
  get acceptedAt(): number | undefined {
    return this.#acceptedAt;
  }

  /** Sends one outside the rhythm, such as the last. Never rejects. */
  async send(signal: AbortSignal): Promise<number | undefined> {
    const { edge, relay, report, onFleet, clock, log } = this.#options;
    try {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(requestMs)]);
      const options = { body: report(), signal: deadline };
      const path = `/v1/relays/${relay}/status`;
      const { nextInMs, relays } = await edge.request("PUT", path, relayStatusAnswerSchema, options);
      this.#acceptedAt = clock.now();
      onFleet(relays);
      this.#accept();
      return Math.min(maxIntervalMs, Math.max(minIntervalMs, nextInMs));
    } catch (error) {
      if (!signal.aborted) log.warn("heartbeat.failed", { error: errorText(error) });
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stop;
    let attempt = 0;
    while (!signal.aborted) {
      const nextInMs = await this.send(signal);
      attempt = nextInMs === undefined ? attempt + 1 : 0;
      const lostForMs = clock.now() - (this.#acceptedAt ?? 0);
      await clock.sleep(nextInMs ?? decideReconnectMs(attempt, lostForMs, random), signal).catch(() => {});
    }
  }
}
