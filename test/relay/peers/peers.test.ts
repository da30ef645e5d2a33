import { describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { jsonLog } from "../../../shared/log.ts";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { startFleet, type Fleet } from "../../support/fleet-world.ts";
import { newIdentity, type RelayWorld } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

const alert = Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 80); // internal_error
const patient = { RELAY_PING_MS: "1000" };

/** Greets, and goes when the visitor goes. */
function greet({ socket }: Visitor): void {
  socket.on("error", () => {}).on("end", () => socket.end());
  socket.resume();
  socket.write("welcome");
}

function homesOf({ homes }: Fleet): [RelayWorld, RelayWorld] {
  const [first, second] = homes;
  if (!first || !second) throw new Error("The fleet has two homes.");
  return [first, second];
}

async function expectServed(world: RelayWorld, name: string): Promise<void> {
  expect((await readBytes(await world.visit(name), 7)).toString()).toBe("welcome");
}

async function expectAlert(world: RelayWorld, name: string): Promise<void> {
  expect((await readEnd(await world.visit(name))).bytes).toEqual(alert);
}

describe("a relay without the node's tunnel", () => {
  test("asks the next relay when the first does not take the visitor, and none forwards again", async () => {
    await using fleet = await startFleet({ homes: 2, environment: patient });
    const { entry } = fleet;
    const [without, having] = homesOf(fleet);
    const node = await having.addNode({ onVisitor: greet });
    for (let visit = 0; visit < 20; visit++) await expectServed(entry, node.name);
    expect(await entry.metric("forwarded_total", 'direction="out",outcome="served"')).toBe(20);
    // By chance every time the right one: once in a million.
    expect(await without.metric("forwarded_total", 'direction="in",outcome="refused"')).toBeGreaterThan(0);
    expect(await without.metric("forwarded_total", 'direction="out"')).toBe(0);
  });

  test("spreads visitors over the relays that have the node", async () => {
    await using fleet = await startFleet({ homes: 2, environment: patient });
    const [first, second] = homesOf(fleet);
    const identity = await newIdentity();
    const { name } = await first.addNode({ identity, onVisitor: greet });
    await second.addNode({ identity, onVisitor: greet });
    for (let visit = 0; visit < 20; visit++) await expectServed(fleet.entry, name);
    for (const home of [first, second]) expect(await home.metric("forwarded_total", "served")).toBeGreaterThan(0);
  });

  test("goes on with the other relay when one is gone", async () => {
    await using fleet = await startFleet({ homes: 2, environment: patient });
    const { entry } = fleet;
    const [lost, left] = homesOf(fleet);
    const identity = await newIdentity();
    const { name } = await left.addNode({ identity, onVisitor: greet });
    await lost.addNode({ identity, onVisitor: greet });
    for (let visit = 0; visit < 8; visit++) await expectServed(entry, name);
    await lost.relay[Symbol.asyncDispose]();
    for (let visit = 0; visit < 20; visit++) await expectServed(entry, name);
    await lost.restart();
  });

  test("tells the visitor by an alert that no relay took it", async () => {
    await using fleet = await startFleet({ homes: 2, environment: patient });
    const { entry } = fleet;
    const name = entry.edge.register((await newIdentity()).id, 1);
    await expectAlert(entry, name);
    expect(await entry.metric("refused_total", "forward-refused")).toBe(1);
    expect(await entry.metric("forwarded{")).toBe(0);
  });

  test("asks nobody when the edge does not say where the node is, or only of relays that it does not know", async () => {
    await using fleet = await startFleet({ environment: patient });
    const { entry } = fleet;
    for (const homes of [undefined, [], [(await newIdentity()).id], [entry.endpoint.relay]]) {
      entry.edge.homes = homes;
      await expectAlert(entry, entry.edge.register((await newIdentity()).id, 1));
    }
    expect(await entry.metric("refused_total", "no-tunnel")).toBe(4);
    expect(await entry.metric("forwarded_total")).toBe(0);
  });

  test("gives no visitor to a relay that proves another key than the edge has named", async () => {
    await using fleet = await startFleet({ environment: patient });
    const { entry, homes } = fleet;
    const [home] = homes;
    if (!home) throw new Error("The fleet has a home.");
    const node = await home.addNode({ onVisitor: greet });
    const { id } = await newIdentity();
    const impostor = { ...home.endpoint, relay: id, addresses: [], draining: false };
    entry.edge.fleet = [impostor, impostor];
    entry.edge.tell([{ name: node.name, node: node.identity.id, epoch: 1, relays: [id] }]);
    await vi.waitFor(async () => expect((await entry.health()).body["others"]).toBe(2), 5_000);
    await expectAlert(entry, node.name);
    expect(await home.metric("forwarded_total")).toBe(0);
  });

  test("forwards no more visitors than it may", async () => {
    await using fleet = await startFleet({ environment: { ...patient, RELAY_MAX_FORWARDED: "1" } });
    const { entry, homes } = fleet;
    const node = await homes[0]?.addNode({ onVisitor: greet });
    const name = node?.name ?? "";
    const first = await entry.visit(name);
    await readBytes(first, 7);
    await expectAlert(entry, name);
    expect(await entry.metric("refused_total", "forward-full")).toBe(1);
    first.destroy();
    await vi.waitFor(async () => expect(await entry.metric("forwarded{")).toBe(0), 8_000);
    await expectServed(entry, name);
  });

  test("holds a few connections ready while visitors come, and none a while after the last one", async () => {
    let laterMs = 0;
    const clock = { ...systemClock, now: () => Date.now() + laterMs };
    await using fleet = await startFleet({ clock, environment: patient });
    const { entry, homes } = fleet;
    const [home] = homes;
    const node = await home?.addNode({ onVisitor: greet });
    const visitors = await Promise.all(Array.from({ length: 50 }, () => entry.visit(node?.name ?? "")));
    await Promise.all(visitors.map((visitor) => readBytes(visitor, 7)));
    for (const visitor of visitors) visitor.destroy();
    await vi.waitFor(async () => expect(await entry.metric("visitors ")).toBe(0), 8_000);
    expect(await entry.metric("peers ")).toBe(1);
    // Beside the node's: one to know whether the other relay lives, and what is held ready.
    const fromEntry = async (): Promise<number> => {
      const nodes = 1 + ((await home?.metric("pool_idle")) ?? 0);
      return ((await home?.metric("connections")) ?? 0) - nodes;
    };
    expect(await fromEntry()).toBeGreaterThan(1);
    expect(await fromEntry()).toBeLessThanOrEqual(1 + 128);
    laterMs = 35_000;
    await vi.waitFor(async () => expect(await entry.metric("peers ")).toBe(0), 8_000);
    await vi.waitFor(async () => expect(await fromEntry()).toBe(0), 8_000);
    await expectServed(entry, node?.name ?? "");
  });

  test("writes in its access log which relay took the visitor, and that which relay it came from", async () => {
    const visits: Record<string, unknown>[] = [];
    const write = (line: string): void => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      if (entry["event"] === "visitor.ended") visits.push(entry);
    };
    const log = jsonLog({ process: "relay", level: "info", clock: systemClock, write });
    await using fleet = await startFleet({ log, environment: patient });
    const { entry, homes } = fleet;
    const [home] = homes;
    const node = await home?.addNode({ onVisitor: greet });
    const visitor = await entry.visit(node?.name ?? "");
    await readBytes(visitor, 7);
    visitor.end();
    await vi.waitFor(() => expect(visits).toHaveLength(2), 8_000);
    const relays = { from: entry.endpoint.relay, via: home?.endpoint.relay };
    for (const [field, relay] of Object.entries(relays)) {
      const visit = visits.find((one) => one[field] === relay);
      expect(visit).toMatchObject({ name: node?.name, network: "127.0.0.1", outcome: "finished" });
    }
  });
});
