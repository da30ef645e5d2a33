/**
 * What this relay knows from the edge, kept current: the feed, single lookups, the cache over restarts, and this
 * relay's own heartbeat. It goes on with what it knows while the edge is away.
 */
import { decideAdmission, type Admission } from "./admission.ts";
import type { RelayConfig } from "./config.ts";
import { Feed } from "./feed.ts";
import { Heartbeat } from "./heartbeat.ts";
import { EdgeLookup, type Lookup } from "./lookup.ts";
import { RouteCache } from "./route-cache.ts";
import { Routing } from "./routing.ts";
import type { Owner } from "./visitors.ts";
import type { Clock } from "../shared/clock.ts";
import type { Log } from "../shared/log.ts";
import type { Identity } from "../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../shared/registry/edge-client.ts";
import type { FeedMessage } from "../shared/registry/feed.ts";
import type { FleetRelay, RelayStatusReport } from "../shared/registry/messages.ts";
import { idHostname } from "../shared/registry/names.ts";
import type { NodeId } from "../shared/registry/node-id.ts";

export interface DirectoryOptions {
  config: RelayConfig;
  identity: Identity;
  report: () => RelayStatusReport;
  /** The epoch or the names of these nodes may have changed. */
  onTouched: (nodes: Set<string>) => void;
  tunnelsOf: (node: string) => number;
  /** The edge was asked for a name. */
  onLookup: (outcome: Lookup["kind"]) => void;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  log: Log;
  feedPingMs?: number;
}

export class Directory {
  readonly #options: DirectoryOptions;
  readonly #routing = new Routing();
  readonly #lookup: EdgeLookup;
  readonly #cache: RouteCache | undefined;
  readonly #edge: EdgeClient;
  #feed: Feed | undefined;
  #heartbeat: Heartbeat | undefined;
  #fleet: readonly FleetRelay[] = [];
  #onInformed: () => void = () => {};
  readonly #informed: Promise<void> = new Promise((resolve) => (this.#onInformed = resolve));

  constructor(options: DirectoryOptions) {
    this.#options = options;
    const { config, identity, clock, fetch, onLookup, log } = options;
    const signer = { id: identity.id, role: "postern-relay", privateKey: identity.signingKey } as const;
    this.#edge = new EdgeClient({ edge: config.edge, signer, clock, fetch });
    this.#lookup = new EdgeLookup({ edge: this.#edge, onAnswer: onLookup, clock, log });
    const { stateDir: directory } = config;
    if (directory !== undefined) this.#cache = new RouteCache({ directory, read: () => this.#saved(), log });
  }

  /** Begins to listen to the edge and to report to it. Resolves before either has succeeded. */
  async start(): Promise<void> {
    const { config, identity, clock, random, log, report, feedPingMs } = this.#options;
    const cached = await this.#cache?.load();
    if (cached) {
      this.#routing.apply({ type: "snapshot", first: true, last: true, ...cached }, clock.now());
      log.info("routes.loaded", { routes: this.#routing.size });
    }
    const shared = { edge: this.#edge, relay: identity.id, clock, random, log };
    this.#heartbeat = new Heartbeat({ ...shared, report, onFleet: (relays) => (this.#fleet = relays) });
    this.#feed = new Feed({
      ...shared,
      edgeUrl: config.edge,
      ...(feedPingMs !== undefined && { pingMs: feedPingMs }),
      cursor: () => this.#routing.cursor,
      // With a cursor there may be nothing new to tell.
      onConnected: () => this.#routing.cursor !== undefined && this.#onInformed(),
      onMessage: (message) => this.#take(message),
    });
  }

  /** Resolves once the edge has accepted a heartbeat and told what is new. */
  async informed(): Promise<void> {
    await Promise.all([this.#heartbeat?.accepted, this.#informed]);
  }

  get state() {
    const now = this.#options.clock.now();
    const since = (at: number | undefined): number | null => (at === undefined ? null : now - at);
    return {
      routes: this.#routing.size,
      /** Whether all routes have been told once, be it before the last restart. */
      known: this.#routing.cursor !== undefined,
      feed: { connected: this.#feed?.connected ?? false, heardMsAgo: since(this.#feed?.heardAt) },
      heartbeat: { acceptedMsAgo: since(this.#heartbeat?.acceptedAt) },
    };
  }

  /** Sends a heartbeat outside the rhythm. Never rejects. */
  async report(signal: AbortSignal): Promise<void> {
    await this.#heartbeat?.send(signal);
  }

  /** The other relays, as the edge has named them last. */
  get fleet(): readonly FleetRelay[] {
    return this.#fleet;
  }

  /** Where a node has its tunnels, as far as the edge knows; the same array until that changes. */
  relaysOf(node: string): readonly NodeId[] {
    return this.#routing.relaysOf(node);
  }

  epochOf(node: string): number | undefined {
    return this.#routing.epochOf(node);
  }

  /** Whose name it is; at once when the feed has told. */
  findOwner(name: string): Owner | Promise<Owner> {
    return this.#known(name) ?? this.#ask(name);
  }

  /** Whether a node that has proved its key may open a tunnel. Never rejects. */
  async admit(node: NodeId, epoch: number): Promise<Admission> {
    const { config, tunnelsOf } = this.#options;
    const decide = (asked: boolean): Admission | "ask" =>
      decideAdmission({
        epoch,
        known: this.#routing.epochOf(node),
        asked,
        tunnels: tunnelsOf(node),
        maxTunnels: config.limits.maxTunnelsPerNode,
      });
    const first = decide(false);
    if (first !== "ask") return first;
    const lookup = await this.#lookup.ask(idHostname(node, config.zone));
    if (lookup.kind === "route") this.#learn(lookup.route);
    const second = lookup.kind === "unavailable" ? "ask" : decide(true);
    if (second !== "ask") return second;
    return { admit: false, goaway: { reason: "not-admitted", detail: "The edge cannot be asked now; try again." } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#feed?.[Symbol.asyncDispose](), this.#heartbeat?.[Symbol.asyncDispose]()]);
    await this.#cache?.[Symbol.asyncDispose]();
  }

  #known(name: string): Owner | undefined {
    const route = this.#routing.find(name);
    // Another name of the node may have told of a newer epoch first.
    if (!route) return undefined;
    const { node } = route;
    return {
      kind: "node",
      node,
      epoch: this.#routing.epochOf(node) ?? route.epoch,
      rules: this.#routing.rulesOf(node),
    };
  }

  async #ask(name: string): Promise<Owner> {
    const lookup = await this.#lookup.find(name);
    if (lookup.kind === "route") this.#learn(lookup.route);
    return this.#known(name) ?? { kind: lookup.kind === "unavailable" ? "unavailable" : "unknown" };
  }

  #learn(route: Parameters<Routing["learn"]>[0]): void {
    const { onTouched, clock } = this.#options;
    onTouched(this.#routing.learn(route, clock.now()));
  }

  #take(message: FeedMessage): void {
    const { onTouched, clock, log } = this.#options;
    const touched = this.#routing.apply(message, clock.now());
    const told = message.type === "delta" ? message.changes : message.routes;
    for (const { name } of told) this.#lookup.forgetMiss(name);
    if (message.type === "delta" || message.last) this.#onInformed();
    log.debug("feed.applied", { type: message.type, names: told.length, routes: this.#routing.size });
    this.#cache?.changed();
    onTouched(touched);
  }

  #saved(): { cursor: string; routes: ReturnType<Routing["all"]> } | undefined {
    const { cursor } = this.#routing;
    return cursor === undefined ? undefined : { cursor, routes: this.#routing.all() };
  }
}
