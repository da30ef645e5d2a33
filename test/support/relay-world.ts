/** A relay, the stand-in for the edge that it listens to, and as many nodes and visitors as a test wants. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../relay/config.ts";
import { startRelay, type Relay, type RelayOptions } from "../../relay/relay.ts";
import { systemClock, type Clock } from "../../shared/clock.ts";
import { silentLog, type Log } from "../../shared/log.ts";
import { generateIdentityPem, identityOfPem, type Identity } from "../../shared/nodejs/identity-file.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import type { TransportSetting } from "../../tee-bot/tunnel/transport.ts";
import { startTunnel, type Tunnel, type Visitor } from "../../tee-bot/tunnel/tunnel.ts";
import { clientHelloOf } from "./client-hello.ts";
import { EdgeStandIn } from "./edge-stand-in.ts";

export const zone = "zone.test";

export interface NodeOptions {
  identity?: Identity;
  epoch?: number;
  aliases?: readonly string[];
  /** False: the edge knows nothing of it. */
  registered?: boolean;
  /** Where the node finds the relay, when not at its port. */
  port?: number;
  /** As that of the world unless told otherwise. */
  transport?: TransportSetting;
  clock?: Clock;
  log?: Log;
  random?: () => number;
  onVisitor: (visitor: Visitor) => void;
  onState?: (state: Tunnel["state"]) => void;
}

export interface TestNode {
  readonly identity: Identity;
  readonly tunnel: Tunnel;
  /** Its own name. */
  readonly name: string;
}

export interface RelayWorld extends AsyncDisposable {
  readonly edge: EdgeStandIn;
  readonly relay: Relay;
  readonly endpoint: RelayEndpoint;
  readonly environment: Record<string, string>;
  readonly transport: TransportSetting;
  /** Starts a node and waits until its tunnel is up. */
  addNode(options: NodeOptions): Promise<TestNode>;
  /** Starts a node and does not wait. */
  startNode(options: NodeOptions): Promise<TestNode>;
  /** A plain connection to the relay's port. */
  dial(): Promise<Socket>;
  /** The same after a ClientHello for `name`; node and visitor then see each other's bytes as they are. */
  visit(name: string): Promise<Socket>;
  health(): Promise<{ status: number; body: Record<string, unknown> }>;
  /** The status of its readiness. */
  ready(): Promise<number>;
  /** The sum of a metric's samples, those with this text in their labels if given. */
  metric(name: string, labels?: string): Promise<number>;
  /** Stops the relay and starts it again at the same port. */
  restart(): Promise<void>;
}

export const newIdentity = (): Promise<Identity> => identityOfPem(generateIdentityPem(), Date.now());

/** `environment` are settings of the relay, such as `RELAY_PING_MS`. */
export async function startWorld({
  environment = {},
  log = silentLog,
  edgeUp = true,
  feedPingMs = 15_000,
  transport = "auto",
  clock = systemClock,
  spawn,
  edge: shared,
  label = "relay",
}: {
  environment?: Record<string, string>;
  log?: Log;
  edgeUp?: boolean;
  feedPingMs?: number;
  transport?: TransportSetting;
  /** The relay's. */
  clock?: Clock;
  spawn?: RelayOptions["spawn"];
  /** That of another world, whose relay is then of the same fleet. */
  edge?: EdgeStandIn;
  /** The first label of the relay's own name. */
  label?: string;
} = {}): Promise<RelayWorld> {
  const directory = mkdtempSync(join(tmpdir(), "postern-relay-"));
  const edge = shared ?? (await new EdgeStandIn(zone).start());
  if (!edgeUp) await edge.stop();
  const identity = await newIdentity();
  const tunnels: Tunnel[] = [];
  const sockets: Socket[] = [];
  const settings = (port: number) =>
    readConfig({
      RELAY_EDGE_URL: edge.url,
      RELAY_ZONE: zone,
      RELAY_NAME: `${label}.${zone}`,
      RELAY_PUBLIC_HOST: "127.0.0.1",
      RELAY_LISTEN_HOST: "127.0.0.1",
      RELAY_PORT: String(port),
      RELAY_PRIVATE_PORT: "0",
      RELAY_IDENTITY_FILE: join(directory, "relay.pem"),
      RELAY_PING_MS: "1000",
      RELAY_WORKERS: "1",
      ...environment,
    });
  const start = (port: number): Promise<Relay> =>
    startRelay({
      config: settings(port),
      identity,
      version: "test",
      fetch,
      clock,
      random: Math.random,
      log,
      feedPingMs,
      ...(spawn && { spawn }),
    });

  let relay = await start(0);
  const { port } = relay;
  if (edgeUp) await relay.informed;
  const endpoint = { relay: identity.id, host: "127.0.0.1", port, name: `${label}.${zone}` };

  const world: RelayWorld = {
    edge,
    endpoint,
    environment,
    transport,
    get relay() {
      return relay;
    },
    async startNode({ identity: given, epoch = 1, aliases = [], registered = true, ...options }) {
      const node = given ?? (await newIdentity());
      const name = registered ? edge.register(node.id, epoch, aliases) : "";
      const tunnel = startTunnel({
        relay: { ...endpoint, port: options.port ?? port },
        identity: node,
        epoch,
        version: "test",
        clock: systemClock,
        log,
        transport,
        ...options,
      });
      tunnels.push(tunnel);
      return { identity: node, tunnel, name };
    },
    addNode(options) {
      return new Promise((resolve, reject) => {
        let node: TestNode | undefined;
        let up = false;
        const onState = (state: Tunnel["state"]): void => {
          options.onState?.(state);
          up ||= state === "up";
          if (up && node) resolve(node);
        };
        world.startNode({ ...options, onState }).then((started) => {
          node = started;
          return up ? resolve(started) : undefined;
        }, reject);
      });
    },
    async dial() {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      socket.on("error", () => {});
      sockets.push(socket);
      await once(socket, "connect");
      return socket;
    },
    async visit(name) {
      const socket = await world.dial();
      socket.write(await clientHelloOf(name));
      return socket;
    },
    async health() {
      const response = await fetch(`http://127.0.0.1:${relay.privatePort}/healthz`);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async ready() {
      return (await fetch(`http://127.0.0.1:${relay.privatePort}/readyz`)).status;
    },
    async metric(name, labels = "") {
      const text = await (await fetch(`http://127.0.0.1:${relay.privatePort}/metrics`)).text();
      const samples = text
        .split("\n")
        .filter((line) => line.startsWith(`postern_relay_${name}`) && line.includes(labels));
      return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
    async restart() {
      await relay[Symbol.asyncDispose]();
      relay = await start(port);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(tunnels.map((tunnel) => tunnel[Symbol.asyncDispose]()));
      await relay[Symbol.asyncDispose]();
      if (!shared) await edge[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return world;
}
