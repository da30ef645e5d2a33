/** Visitors who come to a relay that has just started, before it knows what it needs to serve them. */
import type { Socket } from "node:net";
import { describe, expect, test, vi } from "vitest";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { EdgeStandIn } from "../../support/edge-stand-in.ts";
import { startWorld, zone, type RelayWorld } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

const internalError = Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 80);
const boundMs = 3_000;
const timeout = 40_000;

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

const isGreeted = async (visitor: Socket): Promise<void> =>
  expect((await readBytes(visitor, 7)).toString()).toBe("welcome");

/** A node with a tunnel to `home`, and an `entry` of the same fleet; the edge has gone, and the entry starts anew. */
async function startLateEdge(threads: number) {
  const edge = await new EdgeStandIn(zone).start();
  edge.heartbeatMs = 500;
  const home = await startWorld({ edge, label: "home" });
  const environment = { RELAY_WORKERS: String(threads) };
  const entry = await startWorld({ edge, label: "entry", environment });
  edge.homes = [home.endpoint.relay];
  const node = await home.addNode({ onVisitor: greet });
  await vi.waitFor(async () => expect((await home.health()).body["others"]).toBe(1), 5_000);
  await edge.stop();
  await entry.restart();
  return {
    edge,
    entry,
    node,
    async [Symbol.asyncDispose]() {
      await entry[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}

describe("a visitor who comes to a relay that has just started", () => {
  test.each([1, 2])(
    "before the edge has told of names and relays is forwarded as soon as it has (%i threads)",
    async (threads) => {
      await using late = await startLateEdge(threads);
      const visitors = await Promise.all(Array.from({ length: 8 }, () => late.entry.visit(late.node.name)));
      await vi.waitFor(async () => expect(await late.entry.metric("visitors ")).toBe(8));
      await late.edge.start();
      await Promise.all(visitors.map(isGreeted));
    },
    timeout,
  );

  test.each([1, 2])(
    "is served by the tunnel of a node that comes a moment later (%i threads)",
    async (threads) => {
      await using edge = await new EdgeStandIn(zone).start();
      await using world = await startWorld({ edge, environment: { RELAY_WORKERS: String(threads) } });
      edge.homes = [world.endpoint.relay];
      const node = await world.addNode({ onVisitor: greet });
      await node.tunnel[Symbol.asyncDispose]();
      await world.restart();
      await world.relay.informed;
      const visitor = await world.visit(node.name);
      await vi.waitFor(async () => expect(await world.metric("visitors ")).toBe(1));
      await world.addNode({ identity: node.identity, epoch: 2, onVisitor: greet });
      await isGreeted(visitor);
    },
    timeout,
  );

  test(
    "is told that nobody can serve it once the first moments are over, and whoever comes later at once",
    async () => {
      await using late = await startLateEdge(1);
      const listensAt = performance.now();
      const { name } = late.node;
      expect(await refusedAfter(late.entry, name)).toBeLessThan(boundMs + 1_000);
      expect(performance.now() - listensAt).toBeGreaterThan(boundMs - 500);
      expect(await refusedAfter(late.entry, name)).toBeLessThan(500);
    },
    timeout,
  );

  test("and asks for a name that the edge does not know, or for a node that is elsewhere, is refused at once", async () => {
    await using world = await startWorld();
    expect((await readEnd(await world.visit(`nobody.${zone}`))).bytes.at(-1)).toBe(112); // unrecognized_name
    const { tunnel, name } = await world.addNode({ onVisitor: greet });
    await tunnel[Symbol.asyncDispose]();
    await vi.waitFor(async () => expect(await world.metric("tunnels ")).toBe(0));
    expect(await refusedAfter(world, name)).toBeLessThan(500);
  });
});

async function refusedAfter(world: RelayWorld, name: string): Promise<number> {
  const visitor = await world.visit(name);
  const startedAt = performance.now();
  expect((await readEnd(visitor)).bytes).toEqual(internalError);
  return performance.now() - startedAt;
}
