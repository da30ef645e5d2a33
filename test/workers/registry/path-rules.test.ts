import { describe, expect, test } from "vitest";
import { testIdentity } from "../support/identities.ts";
import {
  decideAvoided,
  decideLost,
  decidePaths,
  decidePathTrouble,
  staleMs,
  type Mark,
} from "../../../workers/registry/path-rules.ts";

const [{ id: one }, { id: two }] = await Promise.all([testIdentity("relay one"), testIdentity("relay two")]);
const now = 1_000_000;
const hostnames = ["alice.test", "own.test"];
const mark = (changes: Partial<Mark> = {}): Mark => ({
  relay: one,
  hostname: "alice.test",
  reporter: two,
  state: "up",
  checkedAt: now - 5,
  heardAt: now - 1,
  ...changes,
});
const down = { state: "down", detail: "no answer within 5 s" } as const;

describe("paths", () => {
  test("are one for each relay, down when any name is down through it", () => {
    const marks = [
      mark(),
      mark({ hostname: "own.test", ...down, checkedAt: now - 9 }),
      mark({ relay: two }),
      mark({ relay: two, hostname: "own.test", checkedAt: now - 2 }),
    ];
    const expected = [
      { relay: one, ...down, checkedAt: now - 9 },
      { relay: two, state: "up" as const, checkedAt: now - 2 },
    ];
    expect(decidePaths(marks, hostnames, now)).toEqual(expected.toSorted((a, b) => (a.relay < b.relay ? -1 : 1)));
  });

  test("forget what nobody has confirmed for long, and names that the node has given back", () => {
    const marks = [mark({ ...down, heardAt: now - staleMs }), mark({ ...down, hostname: "given-back.test" })];
    expect(decidePaths(marks, hostnames, now)).toEqual([]);
  });
});

describe("relays that a node is better off without", () => {
  const paths = (...states: ("up" | "down")[]) =>
    states.map((state, at) => ({ relay: [one, two][at] ?? one, state, checkedAt: now }));

  test("are those through which visitors do not get, while they do through another", () => {
    expect(decideLost(paths("down", "up")).map(({ relay }) => relay)).toEqual([one]);
    expect(decideLost(paths("up", "up"))).toEqual([]);
    expect(decideLost(paths("down", "down"))).toEqual([]);
    expect(decideLost(paths("down"))).toEqual([]);
  });

  test("are these and those that it does not reach itself, each once", () => {
    expect(decideAvoided([{ relay: one, since: 5 }], paths("up", "up"))).toEqual([
      { relay: one, since: 5, isLost: false },
    ]);
    expect(decideAvoided([{ relay: one, since: 5 }], paths("down", "up"))).toEqual([
      { relay: one, since: 5, isLost: true },
    ]);
    expect(decideAvoided([{ relay: one, since: 5 }], paths("up", "down"))).toEqual([
      { relay: one, since: 5, isLost: false },
      { relay: two, isLost: true },
    ]);
  });

  test("are told to the node's person, and so is that nobody gets through", () => {
    expect(decidePathTrouble(paths("up", "up"))).toBeUndefined();
    expect(decidePathTrouble([])).toBeUndefined();
    const lost = decidePathTrouble([{ relay: one, ...down, checkedAt: now }, ...paths("up")]);
    expect(lost?.detail).toBe(`Visitors do not get through relay ${one.slice(0, 8)}…: no answer within 5 s.`);
    const all = decidePathTrouble([{ relay: one, ...down, checkedAt: now }]);
    expect(all?.detail).toBe("Visitors do not get through: no answer within 5 s.");
    expect(all?.remedy).not.toBe("");
  });
});
