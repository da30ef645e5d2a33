import { expect, test } from "vitest";
import { freshIdentity } from "../support/identities.ts";
import type { Place } from "../../../shared/registry/messages.ts";
import { decideRelays, distanceKm, type Candidate } from "../../../workers/relays/relay-choice.ts";

const now = 1_000_000;
const heartbeatMs = 10_000;
const { id: node } = await freshIdentity();
const { id: relay } = await freshIdentity();

const berlin = { latitude: 52.52, longitude: 13.4 };
const potsdam = { latitude: 52.39, longitude: 13.06 };
const frankfurt = { latitude: 50.11, longitude: 8.68 };
const tokyo = { latitude: 35.68, longitude: 139.69 };

function candidate(
  name: string,
  given: { place?: Place; load?: number; ageMs?: number; draining?: boolean } = {},
): Candidate {
  const { place, load = 0, ageMs = 0, draining = false } = given;
  const report = { host: `${name}.example`, port: 443, name, version: "1", visitors: load, tunnels: 0, draining };
  return { relay, at: now - ageMs, report: { ...report, ...(place && { place }) } };
}

const choose = (candidates: Candidate[], place?: Place): string[] =>
  decideRelays(candidates, { node, place, heartbeatMs }, now).map(({ report }) => report.name);

test("Berlin and Frankfurt are 423 km apart, and points across the date line near", () => {
  expect(distanceKm(berlin, frankfurt)).toBeCloseTo(423.4, 0);
  expect(distanceKm({ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 })).toBeCloseTo(111, 0);
  expect(distanceKm({ latitude: 90, longitude: 0 }, { latitude: -90, longitude: 0 })).toBeCloseTo(20_015, 0);
});

test("the nearest two are chosen, the nearest first", () => {
  const relays = [candidate("tokyo", { place: tokyo }), candidate("frankfurt", { place: frankfurt })];
  expect(choose([...relays, candidate("anywhere")], potsdam)).toEqual(["frankfurt", "tokyo"]);
});

test("a near relay is chosen before a far idle one, whatever its load", () => {
  const relays = [candidate("tokyo", { place: tokyo }), candidate("berlin", { place: berlin, load: 5_000 })];
  expect(choose(relays, potsdam)).toEqual(["berlin", "tokyo"]);
});

test("load decides among relays about equally near", () => {
  const relays = [candidate("busy", { place: berlin, load: 500 }), candidate("idle", { place: frankfurt, load: 5 })];
  expect(choose(relays, potsdam)).toEqual(["idle", "busy"]);
});

test("load decides for a node that may be anywhere", () => {
  const relays = [candidate("busy", { place: berlin, load: 500 }), candidate("idle", { place: tokyo, load: 5 })];
  expect(choose(relays)).toEqual(["idle", "busy"]);
});

test("a relay that says nothing of its place is the last resort", () => {
  expect(choose([candidate("anywhere"), candidate("tokyo", { place: tokyo, load: 900 })], potsdam)).toEqual([
    "tokyo",
    "anywhere",
  ]);
});

test("relays that are silent, or leave, are not named", () => {
  const relays = [
    candidate("silent", { ageMs: 2.5 * heartbeatMs }),
    candidate("late", { ageMs: 2.5 * heartbeatMs - 1 }),
    candidate("draining", { draining: true }),
  ];
  expect(choose(relays)).toEqual(["late"]);
  expect(choose([])).toEqual([]);
});

test("equals share the nodes, and each node keeps its relays", async () => {
  const relays: Candidate[] = [];
  for (const name of ["a", "b", "c", "d"]) relays.push({ ...candidate(name), relay: (await freshIdentity()).id });
  const chosen = new Map<string, number>();
  for (let n = 0; n < 40; n++) {
    const { id } = await freshIdentity();
    const names = (candidates: Candidate[]) =>
      decideRelays(candidates, { node: id, place: undefined, heartbeatMs }, now).map(({ report }) => report.name);
    expect(names(relays.toReversed())).toEqual(names(relays));
    for (const name of names(relays)) chosen.set(name, (chosen.get(name) ?? 0) + 1);
  }
  expect([...chosen.keys()].toSorted()).toEqual(["a", "b", "c", "d"]);
});
