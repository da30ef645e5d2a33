import { expect, test } from "vitest";
import { FleetSimulation } from "./fleet-simulation.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { decideMove, decidePick, type Option } from "../../../workers/relays/load.ts";

const minuteMs = 60_000;
const names = (count: number) => Array.from({ length: count }, (_, at) => `relay ${at} `.padEnd(64, "0f"));
const id = (name: string) => name as NodeId;
const option = (relay: string, load: number, band = 0): Option => ({ relay: id(relay), load, band });
const nodes = Array.from({ length: 10_000 }, (_, at) => id(`node ${at}`));

function settled(relays: number, options: { noise?: () => number } = {}): FleetSimulation {
  const fleet = new FleetSimulation({ nodes: 10_000, relays: names(relays), ...options });
  fleet.pass(5 * minuteMs);
  fleet.moves = 0;
  return fleet;
}

const unevenness = (loads: readonly number[]): number =>
  Math.max(...loads) / (loads.reduce((sum, load) => sum + load, 0) / loads.length);

test("the nodes of a relay that dies spread evenly over the rest, and no other node moves", () => {
  const fleet = settled(10);
  const before = fleet.heldBy();
  const [dead = ""] = names(10);
  fleet.die(dead);
  fleet.pass(minuteMs);
  const loads = [...fleet.loads().values()];
  expect(loads).toHaveLength(9);
  expect(unevenness(loads)).toBeLessThan(1.2);
  for (const [node, held] of fleet.heldBy()) {
    const kept = (before.get(node) ?? []).filter((relay) => relay !== dead);
    expect(held).toEqual(expect.arrayContaining(kept));
    expect(held).toHaveLength(2);
  }
});

test("a relay that joins is filled within minutes, by at most a tenth of the nodes a minute", () => {
  const fleet = settled(10);
  const joined = "relay new".padEnd(64, "0f");
  fleet.join(joined);
  for (let minute = 1; minute <= 4; minute++) {
    const before = fleet.moves;
    fleet.pass(minuteMs);
    expect(fleet.moves - before).toBeLessThanOrEqual(2_000); // of 20,000 tunnels
  }
  const mean = 20_000 / 11;
  expect(fleet.loads().get(joined)).toBeGreaterThan(0.75 * mean);
  expect(fleet.loads().get(joined)).toBeLessThan(1.2 * mean);
});

test("loads that are told 10 s late cause no swinging to and fro", () => {
  const fleet = settled(3);
  fleet.join("relay new".padEnd(64, "0f"));
  fleet.pass(10 * minuteMs);
  expect(fleet.moves).toBeLessThan(1.2 * (20_000 / 4));
  fleet.moves = 0;
  fleet.pass(5 * minuteMs);
  expect(fleet.moves).toBe(0);
});

test("nobody moves for loads that differ by a tenth", () => {
  let at = 0;
  const fleet = settled(10, { noise: () => 0.1 * Math.sin(at++) });
  fleet.pass(5 * minuteMs);
  expect(fleet.moves).toBe(0);
});

test("an idle relay is picked more often than busy ones, but not by everybody", () => {
  const options = [option("idle", 0), ...names(9).map((name) => option(name, 2_000))];
  const picks = nodes.filter((node) => decidePick(node, options)?.relay === "idle").length;
  expect(picks / nodes.length).toBeGreaterThan(2 / 10);
  expect(picks / nodes.length).toBeLessThan(4 / 10);
});

test("a node moves to a nearer relay, in its turn", () => {
  const held = [option("far", 0, 7), option("near", 0, 1)];
  const others = [option("nearer", 900, 1)];
  const moved = nodes.filter((node) => decideMove(node, { held, others }, 0)?.to.relay === "nearer").length;
  expect(moved / nodes.length).toBeGreaterThan(0.03);
  expect(moved / nodes.length).toBeLessThan(0.07);
});

test("a node draws one lot in half a minute, however often it asks", () => {
  const held = [option("busy", 10_000)];
  const others = [option("idle", 0)];
  const moves = (now: number) => nodes.filter((node) => decideMove(node, { held, others }, now));
  expect(moves(29_999)).toEqual(moves(0));
  expect(moves(30_000)).not.toEqual(moves(0));
});

test("in a small fleet nobody moves", () => {
  const held = [option("busy", 30)];
  expect(nodes.some((node) => decideMove(node, { held, others: [option("idle", 0)] }, 0))).toBe(false);
});
