import type { Socket } from "node:net";
import type { MetricObjectWithValues, MetricValue } from "prom-client";
import { describe, expect, test, vi } from "vitest";
import { Member } from "../../../relay/threads/member.ts";
import { reset } from "../../../shared/nodejs/reset.ts";
import { silentLog, type LogFields } from "../../../shared/log.ts";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { startWorld, type RelayWorld } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

const threads = 2;
const environment = { RELAY_WORKERS: String(threads) };
const timeout = 60_000;

/** A world, and the thread of each number that runs now. */
async function startCrewWorld(
  options: Parameters<typeof startWorld>[0] = {},
): Promise<{ world: RelayWorld; members: Map<number, Member> }> {
  const members = new Map<number, Member>();
  const world = await startWorld({
    transport: "pool",
    spawn: (start) => {
      const member = new Member(start);
      members.set(start.thread, member);
      return member;
    },
    ...options,
    environment: { ...environment, ...options.environment },
  });
  return { world, members };
}

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

async function visitGreeted(world: RelayWorld, name: string): Promise<Socket> {
  const visitor = await world.visit(name);
  expect((await readBytes(visitor, 7)).toString()).toBe("welcome");
  return visitor;
}

const large = Buffer.alloc(200_000, 7);
let turns = 0;

/** One after the other: ends, is reset amid its bytes, or answers in full. */
function answerAnyhow({ socket }: Visitor): void {
  socket.on("error", () => {}).resume();
  const turn = turns++ % 3;
  if (turn === 0) socket.end("bye");
  else socket.write(large, () => turn === 1 && reset(socket));
}

/** The same from the other side. */
async function visitAnyhow(world: RelayWorld, name: string): Promise<void> {
  const visitor = await world.visit(name).catch(() => undefined);
  if (!visitor) return new Promise((resolve) => setTimeout(resolve, 10));
  const turn = turns++ % 4;
  if (turn > 1) visitor.resume();
  await new Promise((resolve) => setTimeout(resolve, (7 * turns) % 50));
  if (turn % 2 === 0) visitor.end(large);
  else reset(visitor);
}

function rejectAfter(ms: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(reject, ms, new Error(`It took more than ${ms} ms.`)));
}

/** What each thread has of something. */
async function countsOf(members: ReadonlyMap<number, Member>, metric: string): Promise<number[]> {
  return Promise.all(
    [...members.values()].map(async (member) => {
      const metrics = (await member.measure()) as readonly MetricObjectWithValues<MetricValue<string>>[];
      const found = metrics.find(({ name }) => name === `postern_relay_${metric}`);
      return found?.values.reduce((sum, { value }) => sum + value, 0) ?? Number.NaN;
    }),
  );
}

describe("a relay of several threads", () => {
  test.each(["pool", "tls", "http2"] as const)(
    "serves visitors in each of them, whichever holds the tunnel (%s)",
    async (transport) => {
      const { world, members } = await startCrewWorld({ transport });
      await using _ = world;
      const node = await world.addNode({ onVisitor: greet });
      const visitors = await Promise.all(Array.from({ length: 60 }, () => visitGreeted(world, node.name)));
      const here = await countsOf(members, "visitors");
      expect(here.reduce((sum, count) => sum + count)).toBe(60);
      for (const count of here) expect(count).toBeGreaterThan(10);
      expect((await countsOf(members, "tunnels")).toSorted((a, b) => a - b)).toEqual([0, 1]);
      expect([await world.metric("visitors "), await world.metric("tunnels ")]).toEqual([60, 1]);
      expect(await world.health()).toMatchObject({ status: 200, body: { tunnels: 1, visitors: 60, routes: 1 } });
      for (const visitor of visitors) visitor.resetAndDestroy();
      await vi.waitFor(async () => expect(await world.metric("visitors ")).toBe(0), 5_000);
      expect(await world.metric("bytes_total", "sent")).toBe(60 * 7);
    },
    timeout,
  );

  test(
    "leaves no visitor of one thread waiting for connections that come to another",
    async () => {
      const { world } = await startCrewWorld({ environment: { RELAY_POOL_FLOOR: "2" } });
      await using _ = world;
      const node = await world.addNode({ onVisitor: greet });
      for (let burst = 0; burst < 10; burst++) {
        const visitors = await Promise.all(Array.from({ length: 30 }, () => visitGreeted(world, node.name)));
        for (const visitor of visitors) visitor.resetAndDestroy();
      }
      expect(await world.metric("refused_total")).toBe(0);
      expect(await world.metric("pairing_seconds_bucket", 'le="5"')).toBe(300); // the limit would be 5 s
      expect(await world.metric("pool_idle ")).toBeLessThan(512);
    },
    timeout,
  );

  test(
    "goes on when one of them ends: the others keep their visitors, every name answers again, and it is started anew",
    async () => {
      const events: [string, LogFields | undefined][] = [];
      const note = (event: string, fields?: LogFields): void => void events.push([event, fields]);
      const log = { ...silentLog, info: note, error: note };
      const { world, members } = await startCrewWorld({ log });
      await using _ = world;
      const nodes = [await world.addNode({ onVisitor: greet })];
      while ((await countsOf(members, "tunnels")).includes(0)) nodes.push(await world.addNode({ onVisitor: greet }));
      const visitors: Socket[] = [];
      for (const { name } of nodes)
        for (let visit = 0; visit < 10; visit++) visitors.push(await visitGreeted(world, name));
      const before = await countsOf(members, "visitors");
      const ends = visitors.map((visitor) => readEnd(visitor));
      const ended = new Set<number>();
      for (const [at, end] of ends.entries()) void end.then(() => ended.add(at));

      await members.get(0)?.kill();
      await vi.waitFor(() => expect(events.map(([event]) => event)).toContain("worker.restarted"), 20_000);
      expect(events.find(([event]) => event === "worker.ended")).toMatchObject(["worker.ended", { worker: 0 }]);
      for (const { name } of nodes)
        await vi.waitFor(() => visitGreeted(world, name), { timeout: 10_000, interval: 100 });
      for (const { name } of nodes)
        for (const visitor of await Promise.all(Array.from({ length: 20 }, () => visitGreeted(world, name))))
          visitor.resetAndDestroy();
      expect(ended.size).toBe(before[0]);
      await vi.waitFor(async () => expect(await world.metric("tunnels ")).toBe(nodes.length), 5_000);
      expect(await countsOf(members, "tunnels")).toHaveLength(threads);
    },
    timeout,
  );

  test(
    "tells a thread that starts late what the edge has told before",
    async () => {
      const { world, members } = await startCrewWorld();
      await using _ = world;
      world.edge.register("a1".repeat(32) as never, 3);
      const node = await world.addNode({ onVisitor: greet });
      const first = members.get(1);
      await first?.kill();
      await vi.waitFor(() => expect(members.get(1)).not.toBe(first), 10_000);
      await members.get(1)?.ready;
      await world.edge.stop(); // nobody can be asked
      await vi.waitFor(() => visitGreeted(world, node.name), { timeout: 10_000, interval: 100 });
      await Promise.all(Array.from({ length: 30 }, () => visitGreeted(world, node.name)));
    },
    timeout,
  );

  test(
    "drains as one: tells its nodes, serves who still comes, and waits for the last visitor of any thread",
    async () => {
      const { world, members } = await startCrewWorld({ environment: { RELAY_DRAIN_QUIET_MS: "1500" } });
      await using _ = world;
      const states: string[] = [];
      const node = await world.addNode({ onVisitor: greet, onState: (state) => states.push(state) });
      const visitors = await Promise.all(Array.from({ length: 20 }, () => visitGreeted(world, node.name)));
      expect((await countsOf(members, "visitors")).every((count) => count > 0)).toBe(true);
      let isOver = false;
      const drained = world.relay.drain().then(() => (isOver = true));
      await vi.waitFor(() => expect(states).toEqual(["up", "draining"]), 5_000);
      expect(await world.ready()).toBe(503);
      (await visitGreeted(world, node.name)).resetAndDestroy();
      await vi.waitFor(() => expect(world.dial()).rejects.toThrow("ECONNREFUSED"), 10_000);
      const last = visitors.pop();
      for (const visitor of visitors) visitor.resetAndDestroy();
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect([isOver, last?.destroyed]).toEqual([false, false]);
      last?.resetAndDestroy();
      await drained;
      expect(world.edge.reports.at(-1)).toMatchObject({ draining: true });
    },
    timeout,
  );

  // Node never closes what was reset in a wrong moment, and a thread that has such a handle never ends.
  test.each(["pool", "tls", "http2"] as const)(
    "ends its threads at once, amid visitors who come, end and reset (%s)",
    async (transport) => {
      const { world, members } = await startCrewWorld({ transport });
      await using _ = world;
      const node = await world.addNode({ onVisitor: answerAnyhow });
      const over = new AbortController();
      const visitors = Array.from({ length: 16 }, async () => {
        while (!over.signal.aborted) await visitAnyhow(world, node.name);
      });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const ended = Promise.all([...members.values()].map((member) => member.ended));
      await world.relay[Symbol.asyncDispose]();
      over.abort();
      await expect(Promise.race([ended, rejectAfter(1_000)])).resolves.toHaveLength(threads);
      await Promise.all(visitors);
    },
    timeout,
  );

  test(
    "says that a port is taken, though it would share it",
    async () => {
      const { world } = await startCrewWorld();
      await using _ = world;
      const other = startWorld({ environment: { ...environment, RELAY_PORT: String(world.relay.port) } });
      await expect(other).rejects.toThrow("EADDRINUSE");
    },
    timeout,
  );
});
