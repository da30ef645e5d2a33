import { describe, expect, it } from "vitest";
import { seededRandom } from "../fuzz/random.ts";
import { decideFaults, decideSpared, type Targets } from "./faults.ts";

const targets: Targets = {
  edge: "edge",
  relays: ["relay-a", "relay-b", "relay-c"],
  nodes: ["node-1", "node-2"],
  boxed: ["relay-c"],
};
const labels = [targets.edge, ...targets.relays, ...targets.nodes];
const many = (cruel: boolean, spared = new Set<string>()) => {
  const random = seededRandom(11);
  return Array.from({ length: 500 }, () => decideFaults(random, targets, { spared, cruel }));
};

describe("faults", () => {
  it("are the same for the same seed, and of every kind and process", () => {
    expect(many(false)).toEqual(many(false));
    const plans = many(false).flat();
    expect(new Set(plans.map(({ kind }) => kind))).toEqual(new Set(["kill", "drain", "freeze", "reset"]));
    expect(new Set(plans.map(({ target }) => target))).toEqual(new Set(labels));
  });

  it("never end a process that is spared", () => {
    const spared = decideSpared(labels, 0.2);
    const ended = many(true, spared)
      .flat()
      .filter(({ kind }) => kind === "kill" || kind === "drain");
    expect(ended.length).toBeGreaterThan(0);
    expect(ended.filter(({ target }) => spared.has(target))).toEqual([]);
  });

  it("come one at a time, and only if cruel to two relays", () => {
    expect(many(false).filter((plans) => plans.length > 1)).toEqual([]);
    const pairs = many(true).filter((plans) => plans.length > 1);
    expect(pairs.length).toBeGreaterThan(0);
    for (const pair of pairs) expect(new Set(pair.map(({ target }) => target)).size).toBe(2);
  });

  it("reach every process in one half of the time and spare it in the other", () => {
    const [first, second] = [decideSpared(labels, 0.4), decideSpared(labels, 0.6)];
    expect([...first, ...second].toSorted()).toEqual(labels.toSorted());
  });
});
