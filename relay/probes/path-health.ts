/** The relay's part in the health of public paths: probes of names that are its duty, and word to the edge. */
import type { Registry } from "prom-client";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../shared/registry/edge-client.ts";
import type { FeedMessage } from "../../shared/registry/feed.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import type { RelayConfig } from "../config.ts";
import { signerOf } from "../edge/edge-signer.ts";
import { Observations } from "./observations.ts";
import { ProbeMetrics } from "./probe-metrics.ts";
import { Prober, type KnownNames } from "./prober.ts";
import { createResolver } from "./resolver.ts";

export interface PathHealthOptions {
  config: RelayConfig;
  identity: Identity;
  /** Where visitors connect. */
  port: number;
  routing: KnownNames;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  log: Log;
}

export class PathHealth {
  readonly #options: PathHealthOptions;
  readonly #metrics = new ProbeMetrics();
  readonly #observations: Observations;
  #fleet: readonly FleetRelay[] = [];
  #prober: Prober | undefined;
  #stopped = false;

  constructor(options: PathHealthOptions) {
    this.#options = options;
    const { config, identity, clock, fetch } = options;
    const edge = new EdgeClient({ edge: config.edge, signer: signerOf(identity), clock, fetch });
    this.#observations = new Observations({ ...options, edge, relay: identity.id });
  }

  get metrics(): Registry {
    return this.#metrics.registry;
  }

  /** The edge has told of names. */
  take(message: FeedMessage): void {
    const told = message.type === "delta" ? message.changes : message.routes;
    this.#prober?.touch(told.map(({ name }) => name));
  }

  /** The edge has named the other relays; before the first time nobody knows whose duty is what. */
  takeFleet(fleet: readonly FleetRelay[]): void {
    this.#fleet = fleet;
    if (!this.#stopped && this.#options.config.probes.on) this.#prober ??= this.#start();
  }

  /** Probes no more: what drains is no witness. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#prober?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#observations[Symbol.asyncDispose]();
  }

  #start(): Prober {
    const { config, identity, port } = this.#options;
    const { host, port: publicPort = port, addresses = [] } = config.public;
    const { dnsServers, ...pace } = config.probes;
    return new Prober({
      ...this.#options,
      ...pace,
      self: { relay: identity.id, host, port: publicPort, addresses },
      fleet: () => this.#fleet,
      resolve: dnsServers && createResolver(dnsServers),
      onObservation: (observation) => this.#observations.add(observation),
      onProbe: (outcome, seconds) => this.#metrics.probed(outcome, seconds),
    });
  }
}
