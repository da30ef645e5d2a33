import { describe, expect, test } from "vitest";
import { testIdentity } from "../support/identities.ts";
import { decideIllness, decideVerdicts, maxVerdicts, type NodeVerdict } from "../../../workers/relays/illness.ts";

const [{ id: one }, { id: two }] = await Promise.all([testIdentity("relay one"), testIdentity("relay two")]);
const verdict = (node: number, isLost: boolean, changes: Partial<NodeVerdict> = {}): NodeVerdict => ({
  node: String(node),
  isLost,
  witness: one,
  at: 1_000,
  ...changes,
});
const lost = (count: number, witness = one) =>
  Array.from({ length: count }, (_, node) => verdict(node, true, { witness }));
const fine = (count: number) => Array.from({ length: count }, (_, node) => verdict(100 + node, false));

describe("a relay is ill", () => {
  test("when half of the nodes, and three at least, are lost through it", () => {
    expect(decideIllness(lost(2), 1)).toBe(false);
    expect(decideIllness(lost(3), 1)).toBe(true);
    expect(decideIllness([...lost(3), ...fine(3)], 1)).toBe(true);
    expect(decideIllness([...lost(3), ...fine(4)], 1)).toBe(false);
    expect(decideIllness([], 1)).toBe(false);
  });

  test("by the word of two others, where there are two", () => {
    expect(decideIllness(lost(5), 2)).toBe(false);
    expect(decideIllness([...lost(5), verdict(9, true, { witness: two })], 2)).toBe(true);
    expect(decideIllness([...lost(5), verdict(9, false, { witness: two })], 2)).toBe(false);
  });
});

describe("verdicts", () => {
  test("are the newest of each node, and go when they are old", () => {
    const held = [verdict(1, true), verdict(2, true)];
    const news = [verdict(1, false, { at: 2_000, witness: two })];
    expect(decideVerdicts(held, news, 2_000)).toEqual([held[1], news[0]]);
    expect(decideVerdicts(held, news, 1_000 + 12 * 60_000)).toEqual(news);
  });

  test("are bounded, the oldest going first", () => {
    const kept = decideVerdicts(lost(maxVerdicts), fine(1), 1_000);
    expect(kept).toHaveLength(maxVerdicts);
    expect(kept[0]?.node).toBe("1");
  });
});
