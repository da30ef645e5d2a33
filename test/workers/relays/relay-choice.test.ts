import { describe, expect, test } from "vitest";
import { freshIdentity } from "../support/identities.ts";
import type { Place } from "../../../shared/registry/messages.ts";
import { decideLedTo, decideRelays, type Candidate, type Chooser } from "../../../workers/relays/relay-choice.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";

const now = 1_000_000;
const heartbeatMs = 10_000;
/** In these tests nodes have told so long ago that they do not get through. */
const avoidedForMs = 5_000;
const { id: node } = await freshIdentity();

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
  return { relay: relayId(name), at: now - ageMs, report: { ...report, ...(place && { place }) } };
}

/** The rules do not look into ids. */
const relayId = (name: string): NodeId => `id of ${name}` as NodeId;

function choose(candidates: Candidate[], place?: Place, given: Partial<Record<keyof Chooser, string[]>> = {}) {
  const { held = [], avoided = [], draining = [] } = given;
  const told = avoided.map((name) => ({ relay: relayId(name), since: now - avoidedForMs, isLost: false }));
  const ids = { held: held.map(relayId), avoided: told, draining: draining.map(relayId) };
  return decideRelays(candidates, { node, place, ...ids }, { now, heartbeatMs }).map(({ report }) => report.name);
}

test("the nearest two are chosen, the nearest first", () => {
  const relays = [candidate("tokyo", { place: tokyo }), candidate("frankfurt", { place: frankfurt })];
  expect(choose([...relays, candidate("anywhere")], potsdam)).toEqual(["frankfurt", "tokyo"]);
});

test("a near relay is chosen before a far idle one, whatever its load", () => {
  const relays = [candidate("tokyo", { place: tokyo }), candidate("berlin", { place: berlin, load: 5_000 })];
  expect(choose(relays, potsdam)).toEqual(["berlin", "tokyo"]);
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
  expect(choose(relays, undefined, { held: ["silent", "draining"] })).toEqual(["late"]);
  expect(choose([])).toEqual([]);
});

test("relays that are held stay, and only what is missing is chosen", () => {
  const relays = ["a", "b", "c", "d"].map((name) => candidate(name, { load: 100 }));
  for (const held of [
    ["a", "b"],
    ["c", "d"],
    ["b", "d"],
  ])
    expect(choose(relays, undefined, { held })).toEqual(held);
  expect(choose(relays, undefined, { held: ["d", "gone"] })).toContain("d");
  expect(choose(relays, undefined, { held: ["d", "gone"] })).toHaveLength(2);
});

describe("a relay that the node does not reach", () => {
  const silentSince = { ageMs: avoidedForMs };

  test("is not named to it, unless there is no other", () => {
    const relays = [candidate("a", silentSince), candidate("b", silentSince)];
    expect(choose(relays, undefined, { held: ["a", "b"], avoided: ["a"] })).toEqual(["b"]);
    expect(choose(relays, undefined, { held: ["a", "b"], avoided: ["a", "b"] }).toSorted()).toEqual(["a", "b"]);
  });

  test("is named where others are too few once it has been heard of again", () => {
    const [back, silent] = [candidate("a"), candidate("c", silentSince)];
    expect(choose([back, candidate("b")], undefined, { held: ["b"], avoided: ["a"] }).toSorted()).toEqual(["a", "b"]);
    expect(choose([back, silent], undefined, { held: ["c"], avoided: ["a", "c"] })).toEqual(["a"]);
    const three = [back, candidate("b"), candidate("d")];
    expect(choose(three, undefined, { held: ["a", "b"], avoided: ["a"] }).toSorted()).toEqual(["b", "d"]);
  });

  test("does not take the place of one that it reaches, even if it holds none but those", () => {
    const relays = [candidate("a"), candidate("b"), candidate("c")];
    const chosen = choose(relays, undefined, { held: ["a", "b"], avoided: ["a", "b"] });
    expect(chosen).toHaveLength(2);
    expect(chosen).toContain("c");
  });
});

describe("a relay that visitors do not get through", () => {
  const chooser = { node, place: undefined, held: [], avoided: [], draining: [] };
  const lost = { ...chooser, avoided: [{ relay: relayId("a"), isLost: true }] };
  const ill = { ...candidate("a"), illUntil: now + 1 };
  const namesOf = (candidates: readonly Candidate[]) => candidates.map(({ report }) => report.name).toSorted();

  test("has a tunnel where others are too few, and is no way for visitors as long as there is another", () => {
    const relays = [candidate("a"), candidate("b")];
    const chosen = decideRelays(relays, lost, { now, heartbeatMs });
    expect(namesOf(chosen)).toEqual(["a", "b"]);
    expect(namesOf(decideLedTo(chosen, lost, now))).toEqual(["b"]);
    const withIll = decideRelays([ill, candidate("b")], chooser, { now, heartbeatMs });
    expect(namesOf(withIll)).toEqual(["a", "b"]);
    expect(namesOf(decideLedTo(withIll, chooser, now))).toEqual(["b"]);
    expect(namesOf(decideLedTo([ill], chooser, now))).toEqual(["a"]);
  });

  test("is left for others that are well", () => {
    const relays = [ill, candidate("b"), candidate("c")];
    expect(namesOf(decideRelays(relays, { ...chooser, held: [ill.relay] }, { now, heartbeatMs }))).toEqual(["b", "c"]);
  });
});

test("a relay that has told the node that it stops is not named, though its last heartbeat does not say so", () => {
  const relays = [candidate("a"), candidate("b"), candidate("c")];
  expect(choose(relays, undefined, { held: ["a", "b"], draining: ["a"] }).toSorted()).toEqual(["b", "c"]);
});

test("nodes stay where they are when most relays are silent at once, for the edge was away then, but not for ever", () => {
  const fleet = (ageMs: number) => ["a", "b", "c"].map((name) => candidate(name, { ageMs: name === "c" ? 0 : ageMs }));
  expect(choose(fleet(60_000), undefined, { held: ["a", "b"] })).toEqual(["a", "b"]);
  expect(choose(fleet(60_000), undefined, { held: ["a", "b"], avoided: ["b"] })).toEqual(["a", "c"]);
  expect(choose(fleet(11 * 60_000), undefined, { held: ["a", "b"] })).toEqual(["c"]);
  expect(choose(fleet(60_000))).toEqual(["c"]);
});

test("equals share the nodes, whatever their order", async () => {
  const relays = ["a", "b", "c", "d"].map((name) => candidate(name));
  const chosen = new Map<string, number>();
  for (let n = 0; n < 40; n++) {
    const { id } = await freshIdentity();
    const names = (candidates: Candidate[]) => {
      const chooser = { node: id, place: undefined, held: [], avoided: [], draining: [] };
      return decideRelays(candidates, chooser, { now, heartbeatMs }).map(({ report }) => report.name);
    };
    expect(names(relays.toReversed())).toEqual(names(relays));
    for (const name of names(relays)) chosen.set(name, (chosen.get(name) ?? 0) + 1);
  }
  expect([...chosen.keys()].toSorted()).toEqual(["a", "b", "c", "d"]);
});
