/**
 * What this relay hears from the edge and tells it: the feed, kept over restarts in a file, and its own heartbeat. It
 * goes on with what it knows while the edge is away.
 */
import type { RelayConfig } from "../config.ts";
import { signerOf } from "./edge-signer.ts";
import { Feed } from "./feed.ts";
import { Heartbeat } from "./heartbeat.ts";
import { RouteCache } from "./route-cache.ts";
import type { Routing } from "./routing.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../shared/registry/edge-client.ts";
import type { FeedMessage } from "../../shared/registry/feed.ts";
import type { FleetRelay, RelayStatusReport } from "../../shared/registry/messages.ts";

export interface EdgeLinkOptions {
  config: RelayConfig;
  identity: Identity;
  /** What is known; whoever gets the messages keeps it current. */
  routing: Pick<Routing, "cursor" | "size" | "all">;
  onMessage: (message: FeedMessage) => void;
  /** The edge names the other relays. */
  onFleet: (fleet: readonly FleetRelay[]) => void;
  report: () => RelayStatusReport;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  log: Log;
  feedPingMs?: number;
}

export class EdgeLink {
  readonly #options: EdgeLinkOptions;
  readonly #cache: RouteCache | undefined;
  #feed: Feed | undefined;
  #heartbeat: Heartbeat | undefined;
  #onInformed: () => void = () => {};
  readonly #informed: Promise<void> = new Promise((resolve) => (this.#onInformed = resolve));

  constructor(options: EdgeLinkOptions) {
    this.#options = options;
    const { config, log } = options;
    const { stateDir: directory } = config;
    if (directory !== undefined) this.#cache = new RouteCache({ directory, read: () => this.#saved(), log });
  }

  /** Begins to listen to the edge and to report to it. Resolves before either has succeeded. */
  async start(): Promise<void> {
    const { config, identity, routing, onMessage, onFleet, clock, fetch, random, log, report, feedPingMs } =
      this.#options;
    const cached = await this.#cache?.load();
    if (cached) {
      onMessage({ type: "snapshot", first: true, last: true, ...cached });
      log.info("routes.loaded", { routes: routing.size });
    }
    const edge = new EdgeClient({ edge: config.edge, signer: signerOf(identity), clock, fetch });
    const shared = { edge, relay: identity.id, clock, random, log };
    this.#heartbeat = new Heartbeat({ ...shared, report, onFleet });
    this.#feed = new Feed({
      ...shared,
      edgeUrl: config.edge,
      ...(feedPingMs !== undefined && { pingMs: feedPingMs }),
      cursor: () => routing.cursor,
      // With a cursor there may be nothing new to tell.
      onConnected: () => routing.cursor !== undefined && this.#onInformed(),
      onMessage: (message) => this.#take(message),
    });
  }

  /** Resolves once the edge has accepted a heartbeat and told what is new. */
  async informed(): Promise<void> {
    await Promise.all([this.#heartbeat?.accepted, this.#informed]);
  }

  get state() {
    const { clock, routing } = this.#options;
    const now = clock.now();
    const since = (at: number | undefined): number | null => (at === undefined ? null : now - at);
    return {
      routes: routing.size,
      /** Whether all routes have been told once, be it before the last restart. */
      known: routing.cursor !== undefined,
      feed: { connected: this.#feed?.connected ?? false, heardMsAgo: since(this.#feed?.heardAt) },
      heartbeat: { acceptedMsAgo: since(this.#heartbeat?.acceptedAt) },
    };
  }

  /** Sends a heartbeat outside the rhythm. Never rejects. */
  async report(signal: AbortSignal): Promise<void> {
    await this.#heartbeat?.send(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#feed?.[Symbol.asyncDispose](), this.#heartbeat?.[Symbol.asyncDispose]()]);
    await this.#cache?.[Symbol.asyncDispose]();
  }

  #take(message: FeedMessage): void {
    const { routing, onMessage, log } = this.#options;
    onMessage(message);
    if (message.type === "delta" || message.last) this.#onInformed();
    const names = message.type === "delta" ? message.changes.length : message.routes.length;
    log.debug("feed.applied", { type: message.type, names, routes: routing.size });
    this.#cache?.changed();
  }

  #saved(): { cursor: string; routes: ReturnType<Routing["all"]> } | undefined {
    const { routing } = this.#options;
    return routing.cursor === undefined ? undefined : { cursor: routing.cursor, routes: routing.all() };
  }
}
