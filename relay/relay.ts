/** A relay put together from its parts. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { Clock } from "../shared/clock.ts";
import { errorText } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Identity } from "../shared/nodejs/identity-file.ts";
import { Rate } from "../shared/rate.ts";
import type { RelayStatusReport } from "../shared/registry/messages.ts";
import { accessLog } from "./access-log.ts";
import type { Goaway } from "../shared/tunnel/control.ts";
import type { RelayConfig } from "./config.ts";
import { ControlDoor } from "./control.ts";
import { Directory } from "./directory.ts";
import { drain } from "./drain.ts";
import { Farewell } from "./farewell.ts";
import { NodePolicies } from "./limits/node-policy.ts";
import { Shares } from "./limits/shares.ts";
import { RelayMetrics } from "./metrics.ts";
import { PoolDoor } from "./pool-door.ts";
import { startPrivatePort, type Health } from "./private-port.ts";
import { PublicPort } from "./public-port.ts";
import { TunnelKeeper } from "./tunnel-keeper.ts";
import { Visitors } from "./visitors.ts";

const backlog = 4_096;
const lastReportMs = 1_000;
const goaway: Goaway = { reason: "draining", detail: "This relay stops; use another, or come back later." };

export interface RelayOptions {
  config: RelayConfig;
  identity: Identity;
  version: string;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  log: Log;
  /** How often to ask whether the edge still listens; every 15 s unless told otherwise. */
  feedPingMs?: number;
}

export interface Relay extends AsyncDisposable {
  /** Where visitors and tunnels connect. */
  readonly port: number;
  readonly privatePort: number;
  /** Resolves once the edge has accepted a heartbeat and told what it knows; the relay serves before, and without. */
  readonly informed: Promise<void>;
  /** Tells edge and nodes, takes no new tunnel, and serves visitors until they have left or the limit has come. */
  drain(): Promise<void>;
}

/** Resolves once it listens on both ports; rejects when it cannot. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { config, identity, version, clock, log } = options;
  const { limits } = config;
  let draining = false;

  const metrics = new RelayMetrics(() => ({
    connections: door.connections,
    pendingHellos: door.pendingHellos,
    visitors: visitors.size,
    tunnels: keeper.tunnels.size,
    poolIdle: keeper.poolIdle,
    routes: directory.state.routes,
    feedConnected: directory.state.feed.connected,
    draining,
    bytes: visitors.bytes(),
  }));
  const report = (): RelayStatusReport => ({
    host: config.public.host,
    port: config.public.port ?? port,
    name: config.name,
    version,
    ...(config.place && { place: config.place }),
    ...(config.public.addresses && { addresses: config.public.addresses }),
    visitors: visitors.size,
    tunnels: keeper.tunnels.size,
    draining,
  });
  const health = (): Health => {
    const { known, ...state } = directory.state;
    const counts = { tunnels: keeper.tunnels.size, visitors: visitors.size };
    return { ok: known && !draining, relay: identity.id, draining, ...state, ...counts };
  };

  const keeper = new TunnelKeeper({ limits, metrics, clock, log, epochOf: (node) => directory.epochOf(node) });
  const { tunnels } = keeper;
  const directory: Directory = new Directory({
    ...options,
    onLookup: (outcome) => metrics.lookup(outcome),
    report,
    onTouched: (nodes) => keeper.judge(nodes),
    tunnelsOf: (node) => tunnels.of(node).length,
  });
  const farewell = new Farewell({ clock });
  const findOwner = (name: string) => directory.findOwner(name);
  const shares = {
    networks: new Shares({ ...limits.perNetwork, clock }),
    nodes: new Shares({ ...limits.perNode, clock }),
  };
  const policies = new NodePolicies({ clock });
  const access = accessLog({ on: config.accessLog, log });
  const shared = { tunnels, farewell, metrics, clock, log };
  const visitors = new Visitors({ ...config, ...limits, ...shared, shares, policies, access, findOwner });
  const control = new ControlDoor({
    identity,
    pingMs: limits.pingMs,
    clock,
    log,
    admit: (node, epoch) => (draining ? Promise.resolve({ admit: false, goaway }) : directory.admit(node, epoch)),
    onNode: (node) => keeper.open(node),
  });
  const onPass = (socket: Socket, pass: Uint8Array): boolean => keeper.adopt(socket, pass);
  const pools = new PoolDoor({ identity, metrics, clock, onPass });
  const door = new PublicPort({
    relayName: config.name,
    limits,
    farewell,
    metrics,
    clock,
    onVisitor: (socket, serverName, firstBytes) => void visitors.serve(socket, serverName, firstBytes),
    onPass,
    onPoolTls: (socket) => pools.accept(socket),
    onControl: (socket) => control.accept(socket),
  });

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => door.accept(socket));
  // Past this they are closed as they come, before they cost a socket object.
  server.maxConnections = limits.maxConnections;
  server.on("drop", () => metrics.refused("too-many-connections"));
  server.listen({ ...config.listen, backlog });
  await once(server, "listening");
  // Such as no file descriptor left; those who are here stay, and the next accept may succeed.
  const failures = new Rate({ clock });
  server.on("error", (error) => {
    metrics.refused("not-accepted");
    failures.count();
    if (failures.thisSecond === 1) log.error("accept.failed", { error: errorText(error) });
  });
  const { port } = server.address() as AddressInfo;
  // A listener left open would keep a process alive that failed to start.
  const privatePort = await startPrivatePort({ ...config.private, health, metrics }).catch((error: unknown) => {
    server.close();
    keeper.destroy();
    door.destroy();
    throw error;
  });
  await directory.start();

  return {
    port,
    privatePort: privatePort.port,
    informed: directory.informed(),
    async drain() {
      draining = true;
      // The edge first: nodes ask it at once which relays to use instead.
      await directory.report(AbortSignal.timeout(lastReportMs));
      const told = new AbortController();
      void keeper.announce(goaway, told.signal);
      await drain({
        limits,
        state: () => ({ lastVisitorAt: visitors.lastAt, tunnels: keeper.tunnels.size }),
        close: () => {
          server.close();
          keeper.retireAll(goaway);
        },
        emptied: () => visitors.emptied(),
        clock,
      });
      told.abort();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      privatePort.server.close();
      privatePort.server.closeAllConnections();
      keeper.destroy();
      door.destroy();
      await directory[Symbol.asyncDispose]();
    },
  };
}
