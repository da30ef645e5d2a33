/** Several relays of one fleet, of which nodes have tunnels to some only: what the others are asked for is forwarded. */
import { vi } from "vitest";
import type { Relay } from "../../relay/relay.ts";
import { EdgeStandIn } from "./edge-stand-in.ts";
import { startWorld, zone, type RelayWorld } from "./relay-world.ts";

type Options = NonNullable<Parameters<typeof startWorld>[0]>;

export interface Fleet extends AsyncDisposable {
  /** Visitors come here; no node has a tunnel to it. */
  readonly entry: RelayWorld;
  /** Nodes that register have tunnels to these, as far as the edge says. */
  readonly homes: RelayWorld[];
}

/** Resolves once every relay knows of every other one. */
export async function startFleet({ homes: count = 1, ...options }: Options & { homes?: number } = {}): Promise<Fleet> {
  const edge = await new EdgeStandIn(zone).start();
  edge.heartbeatMs = 500;
  const start = (label: string): Promise<RelayWorld> => startWorld({ ...options, edge, label });
  const labels = Array.from({ length: count }, (_, at) => `home-${at}`);
  const [entry, ...homes] = await Promise.all([start("entry"), ...labels.map(start)]);
  edge.homes = homes.map(({ endpoint }) => endpoint.relay);
  await vi.waitFor(async () => {
    for (const world of [entry, ...homes])
      if ((await world.health()).body["others"] !== count) throw new Error("A relay does not know all others.");
  }, 5_000);
  return {
    entry,
    homes,
    async [Symbol.asyncDispose]() {
      for (const home of homes) await home[Symbol.asyncDispose]();
      await entry[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}

/** One world of two relays: nodes have their tunnels at the one, visitors come to the other. */
export async function startForwardingWorld(options: Options = {}): Promise<RelayWorld> {
  const fleet = await startFleet(options);
  const { entry } = fleet;
  const [home] = fleet.homes;
  if (!home) throw new Error("A fleet has a home for nodes.");
  const { edge, transport, environment, endpoint } = home;
  const relay: Relay = {
    get port() {
      return entry.relay.port;
    },
    get privatePort() {
      return home.relay.privatePort;
    },
    get informed() {
      return home.relay.informed;
    },
    drain: () => home.relay.drain(),
    [Symbol.asyncDispose]: () => home.relay[Symbol.asyncDispose](),
  };
  return {
    edge,
    transport,
    environment,
    endpoint,
    relay,
    addNode: (node) => home.addNode(node),
    startNode: (node) => home.startNode(node),
    dial: () => entry.dial(),
    visit: (name) => entry.visit(name),
    health: () => home.health(),
    ready: () => home.ready(),
    metric: (name, labels) => home.metric(name, labels),
    restart: () => home.restart(),
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}
