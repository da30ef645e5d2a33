/**
 * Stands in for the edge where only a relay is tested: routes in a map, lookups, heartbeats and the feed, as
 * shared/registry describes them. It checks that requests are signed by a relay, and nothing else; the real edge has
 * tests of its own, and test/system runs both together.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { problemOf } from "../../shared/problem.ts";
import { feedPing, feedPong, type FeedMessage } from "../../shared/registry/feed.ts";
import {
  observationsSchema,
  relayStatusSchema,
  type FleetRelay,
  type Observation,
  type RelayStatusReport,
  type Route,
} from "../../shared/registry/messages.ts";
import { idHostname } from "../../shared/registry/names.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import { verifyRequest } from "../../shared/signature/signed-request.ts";

/** In one part of a snapshot. */
const maxPartRoutes = 1_000;

export class EdgeStandIn {
  readonly zone: string;
  readonly reports: RelayStatusReport[] = [];
  /** Paths that were asked for, lookups among them. */
  readonly requests: string[] = [];
  /** What relays have found of names, in the order in which they told. */
  readonly observations: Observation[] = [];
  /** The cursors with which relays came back. */
  readonly cursors: (string | null)[] = [];
  /** Routes told by lookup only, as if the feed lagged. */
  readonly untold = new Map<string, Route>();
  /** What heartbeats are answered; unless set, the other relays whose heartbeats have come. */
  fleet: FleetRelay[] | undefined;
  /** Relays that others are not told of. */
  readonly hidden = new Set<NodeId>();
  /** Where nodes that register have their tunnels; routes do not say so when undefined. */
  homes: NodeId[] | undefined;
  heartbeatMs = 1_000;
  /** Whether the feed answers pings. */
  deaf = false;
  readonly #routes = new Map<string, Route>();
  readonly #relays = new Map<NodeId, FleetRelay>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #sockets = new WebSocketServer({ noServer: true });
  #version = 0;
  #port = 0;

  constructor(zone: string) {
    this.zone = zone;
    this.#server.on("upgrade", (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (feed) => this.#follow(request, feed));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get cursor(): string {
    return `stand-in.${this.#version}`;
  }

  /** Listens, at the same port as before when it was stopped. */
  async start(): Promise<this> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  /** A node has started under this epoch; answers its own hostname. */
  register(node: NodeId, epoch: number, aliases: readonly string[] = []): string {
    const own = idHostname(node, this.zone);
    const names = [own, ...aliases.map((alias) => `${alias}.${this.zone}`)];
    const { homes: relays } = this;
    this.tell(names.map((name) => (relays ? { name, node, epoch, relays } : { name, node, epoch })));
    return own;
  }

  /** The lease of a node has run out. */
  withdraw(node: NodeId): void {
    const gone = [...this.#routes.values()].filter((route) => route.node === node);
    this.tell(gone.map(({ name }) => ({ name, node: null })));
  }

  tell(changes: Extract<FeedMessage, { type: "delta" }>["changes"]): void {
    this.#version++;
    for (const change of changes) {
      if (change.node === null) this.#routes.delete(change.name);
      else this.#routes.set(change.name, change);
    }
    this.say({ type: "delta", cursor: this.cursor, changes });
  }

  /** Sends a message to every relay as it is. */
  say(message: FeedMessage): void {
    for (const socket of this.#sockets.clients) socket.send(JSON.stringify(message));
  }

  dropFeeds(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  #follow(request: IncomingMessage, feed: WebSocket): void {
    this.cursors.push(new URL(request.url ?? "/", this.url).searchParams.get("since"));
    feed.on("message", (data: Buffer) => {
      if (!this.deaf && data.toString() === feedPing) feed.send(feedPong);
    });
    const routes = [...this.#routes.values()];
    const size = Math.max(1, Math.min(maxPartRoutes, Math.ceil(routes.length / 2)));
    for (let at = 0; at === 0 || at < routes.length; at += size) {
      const part = { first: at === 0, last: at + size >= routes.length, routes: routes.slice(at, at + size) };
      feed.send(JSON.stringify({ type: "snapshot", cursor: this.cursor, ...part }));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { pathname } = new URL(request.url ?? "/", this.url);
    this.requests.push(pathname);
    const send = (status: number, value: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    try {
      const method = request.method ?? "GET";
      const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const signed = new Request(`${this.url}${request.url}`, { method, headers });
      await verifyRequest(signed, new Uint8Array(body), { role: "postern-relay", now: Date.now() });
    } catch (error) {
      return send(401, problemOf("signature-invalid", String(error)));
    }
    const name = /^\/v1\/routes\/(.+)$/.exec(pathname)?.[1];
    if (name !== undefined) {
      const route = this.untold.get(name) ?? this.#routes.get(name);
      return route ? send(200, route) : send(404, problemOf("not-found", "No such name."));
    }
    if (pathname.endsWith("/observations")) {
      this.observations.push(...observationsSchema.parse(JSON.parse(body.toString())).observations);
      return void response.writeHead(204).end();
    }
    const relay = (/^\/v1\/relays\/(.+)\/status$/.exec(pathname)?.[1] ?? "") as NodeId;
    const report = relayStatusSchema.parse(JSON.parse(body.toString()));
    send(200, { nextInMs: this.heartbeatMs, relays: this.#hear(relay, report) });
  }

  /** Answers the other relays. */
  #hear(relay: NodeId, report: RelayStatusReport): FleetRelay[] {
    this.reports.push(report);
    const { host, port, name, addresses = [], draining } = report;
    this.#relays.set(relay, { relay, host, port, name, addresses, draining });
    const others = [...this.#relays.values()].filter((one) => one.relay !== relay && !this.hidden.has(one.relay));
    return this.fleet ?? others;
  }
}
