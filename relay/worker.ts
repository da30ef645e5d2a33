/** What takes the relay's connections, put together from its parts: the public port, its doors, tunnels and visitors. */
import { once } from "node:events";
import { createServer, type AddressInfo, type ListenOptions, type Socket } from "node:net";
import type { MetricObject } from "prom-client";
import type { Clock } from "../shared/clock.ts";
import { errorText } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Identity } from "../shared/nodejs/identity-file.ts";
import { Rate } from "../shared/rate.ts";
import type { FeedMessage } from "../shared/registry/feed.ts";
import type { FleetRelay } from "../shared/registry/messages.ts";
import type { NodeId } from "../shared/registry/node-id.ts";
import type { Goaway } from "../shared/tunnel/control.ts";
import { accessLog } from "./visitors/access-log.ts";
import type { RelayConfig } from "./config.ts";
import { ControlDoor } from "./door/control-door.ts";
import { Directory } from "./edge/directory.ts";
import { Farewell } from "./door/farewell.ts";
import { decideWorkerLimits } from "./limits/worker-limits.ts";
import { NodePolicies } from "./limits/node-policy.ts";
import { Shares } from "./limits/shares.ts";
import { RelayMetrics } from "./operations/metrics.ts";
import { PassTable } from "./tunnel/pass-table.ts";
import { PoolDoor } from "./door/pool-door.ts";
import { PeerDoor } from "./peers/peer-door.ts";
import { Peers } from "./peers/peers.ts";
import { PublicPort } from "./door/public-port.ts";
import type { Routing } from "./edge/routing.ts";
import type { TunnelControl } from "./tunnel/tunnel-control.ts";
import { TunnelKeeper } from "./tunnel/tunnel-keeper.ts";
import { FirstMoments, firstMomentsMs } from "./visitors/first-moments.ts";
import { Visitors, type VisitorsOptions } from "./visitors/visitors.ts";

const backlog = 4_096;
/** 500 nodes a second: what the relays they go to, and the edge, take without a queue. */
const announcedByAll = 50;

export interface WorkerOptions {
  config: RelayConfig;
  identity: Identity;
  /** What is known of names; kept current by this worker. */
  routing: Routing;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  log: Log;
  /** Set where it is one of several. */
  team?: Team;
}

/** What the workers of one relay share, each in a thread of its own. */
export interface Team {
  readonly workers: number;
  readonly table: PassTable;
  /** So that what one has begun can be resumed at another. */
  readonly ticketSecret: Uint8Array;
  /** A node was let in here. */
  readonly onOpened: (control: TunnelControl) => void;
  /** Something is asked for that the others may have told of. */
  readonly onMissing: () => void;
}

/** What there is now. */
export interface WorkerCounts {
  visitors: number;
  /** Those that take visitors. */
  tunnels: number;
  /** When the last visitor came (by the clock); undefined before the first. */
  lastVisitorAt: number | undefined;
}

export interface RelayWorker extends AsyncDisposable {
  /** Begins to take connections; answers the port. Rejects when it cannot. */
  listen(at: ListenOptions): Promise<number>;
  readonly counts: WorkerCounts;
  /** The edge has told something of names. */
  take(message: FeedMessage): void;
  /** The edge has named the other relays. */
  takeFleet(fleet: readonly FleetRelay[]): void;
  /** The edge has told what it knows, for the first time since the relay has started. */
  inform(): void;
  /** Those of each thread. */
  metrics(): Promise<(readonly MetricObject[])[]>;
  /** Takes no new tunnel from now on: who knocks is told why. */
  refuseTunnels(goaway: Goaway): void;
  /** Tells every node, while their tunnels go on. Resolves when all know, or the signal aborts. */
  announce(goaway: Goaway, signal: AbortSignal): Promise<void>;
  /** Closes the port and takes no visitor any more; who is here may finish. */
  close(goaway: Goaway): void;
  /** Resolves when no visitor is left. */
  emptied(): Promise<void>;
}

/** A worker with its tunnels, for the other threads. */
export interface OwnWorker extends RelayWorker {
  readonly keeper: TunnelKeeper;
}

export function createWorker({ config, identity, team, ...options }: WorkerOptions): OwnWorker {
  const { clock, log } = options;
  const { workers = 1, table = new PassTable(), ticketSecret } = team ?? {};
  const limits = decideWorkerLimits(config.limits, workers);
  let refusal: Goaway | undefined;

  const metrics = new RelayMetrics(() => ({
    connections: door.connections,
    pendingHellos: door.pendingHellos,
    visitors: visitors.size,
    tunnels: keeper.size,
    poolIdle: keeper.poolIdle,
    forwarded: { out: peers.forwarded, in: peerDoor.forwarded },
    peers: peers.links,
    bytes: visitors.bytes(),
  }));
  const epochOf = (node: string): number | undefined => directory.epochOf(node);
  const firstMoments = new FirstMoments({ ms: Math.min(firstMomentsMs, limits.pairingMs), clock });
  const onPart = (): void => firstMoments.news();
  const announcedAtOnce = Math.ceil(announcedByAll / workers);
  const keeper = new TunnelKeeper({ ...team, limits, table, announcedAtOnce, epochOf, onPart, metrics, clock, log });
  const { tunnels } = keeper;
  const directory: Directory = new Directory({
    ...options,
    config,
    identity,
    onLookup: (outcome) => metrics.lookup(outcome),
    onTouched: (nodes) => keeper.judge(nodes),
    tunnelsOf: (node) => tunnels.of(node).length,
  });
  const farewell = new Farewell({ clock });
  const findOwner = (name: string) => directory.findOwner(name);
  const shares = {
    networks: new Shares({ ...limits.perNetwork, clock }),
    nodes: new Shares({ ...limits.perNode, clock }),
  };
  const policies = new NodePolicies({ workers, clock });
  const access = accessLog({ on: config.accessLog, log });
  const shared = { tunnels, farewell, metrics, clock, log };
  const fleet = (): readonly FleetRelay[] => directory.fleet;
  const relaysOf = (node: string): readonly NodeId[] => directory.relaysOf(node);
  const peers = new Peers({ ...options, identity, limits, fleet, relaysOf, metrics });
  const forward: VisitorsOptions["forward"] = (node, visitor) => peers.forward(node, visitor);
  const expects = (node: string): boolean => directory.relaysOf(node).includes(identity.id);
  const ofVisitors = { shares, policies, access, findOwner, epochOf, expects, forward, firstMoments };
  const visitors = new Visitors({ ...config, ...limits, ...shared, ...ofVisitors });
  const peerDoor = new PeerDoor({
    ...options,
    identity,
    ticketSecret,
    limits,
    fleet,
    metrics,
    onVisitor: (socket, from, visitor) => void visitors.serveForwarded(socket, from, visitor),
  });
  const control = new ControlDoor({
    identity,
    pingMs: limits.pingMs,
    helloMs: limits.helloMs,
    clock,
    log,
    admit: (node, epoch) =>
      refusal ? Promise.resolve({ admit: false, goaway: refusal }) : directory.admit(node, epoch),
    onNode: (node) => keeper.open(node),
  });
  const onPass = (socket: Socket, pass: Uint8Array): boolean => keeper.adopt(socket, pass);
  const pools = new PoolDoor({ identity, ticketSecret, metrics, clock, onPass });
  const door = new PublicPort({
    relayName: config.name,
    limits,
    farewell,
    metrics,
    clock,
    onVisitor: (socket, serverName, firstBytes) => void visitors.serve(socket, serverName, firstBytes),
    onPass,
    onPoolTls: (socket) => pools.accept(socket),
    onPeer: (socket) => peerDoor.accept(socket),
    onControl: (socket) => control.accept(socket),
  });

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => door.accept(socket));
  // Past this they are closed as they come, before they cost a socket object.
  server.maxConnections = limits.maxConnections;
  server.on("drop", () => metrics.refused("too-many-connections"));
  return {
    keeper,
    async listen(at) {
      server.listen({ ...at, backlog });
      await once(server, "listening");
      firstMoments.begin();
      // Such as no file descriptor left; those who are here stay, and the next accept may succeed.
      const failures = new Rate({ clock });
      server.on("error", (error) => {
        metrics.refused("not-accepted");
        failures.count();
        if (failures.thisSecond === 1) log.error("accept.failed", { error: errorText(error) });
      });
      return (server.address() as AddressInfo).port;
    },
    get counts() {
      return { visitors: visitors.size, tunnels: keeper.size, lastVisitorAt: visitors.lastAt };
    },
    take(message) {
      directory.take(message);
      firstMoments.news();
    },
    takeFleet(relays) {
      directory.takeFleet(relays);
      firstMoments.news();
    },
    inform: () => firstMoments.inform(),
    metrics: async () => [await metrics.registry.getMetricsAsJSON()],
    refuseTunnels: (goaway) => void (refusal = goaway),
    announce: (goaway, signal) => keeper.announce(goaway, signal),
    close(goaway) {
      server.close();
      firstMoments.end();
      keeper.retireAll(goaway);
    },
    emptied: () => visitors.emptied(),
    [Symbol.asyncDispose]() {
      server.close();
      firstMoments.end();
      keeper.destroy();
      peers.destroy();
      door.destroy();
      return Promise.resolve();
    },
  };
}
