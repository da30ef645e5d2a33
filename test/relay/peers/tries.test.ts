import { describe, expect, test } from "vitest";
import { decideTries, type TriesFacts } from "../../../relay/peers/tries.ts";
import type { FleetRelay } from "../../../shared/registry/messages.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";

const idOf = (label: string): NodeId => label as NodeId;
const relay = (label: string, changes: Partial<FleetRelay> = {}): FleetRelay => ({
  relay: idOf(label),
  host: `${label}.example`,
  port: 443,
  name: `${label}.example`,
  addresses: [],
  draining: false,
  ...changes,
});

function tries(changes: Partial<TriesFacts> = {}): string[] {
  const fleet = ["a", "b", "c", "d", "e"].map((label) => relay(label));
  const facts = { relays: [], fleet, self: idOf("self"), failedAt: () => undefined, now: 100_000, random: 0 };
  return decideTries({ ...facts, ...changes }).map(({ relay: id }) => id);
}
const ids = (labels: string): NodeId[] => Array.from(labels, idOf);

describe("the relays that are asked to take a visitor", () => {
  test("are those of the fleet that have its node, each once", () => {
    expect(tries({ relays: ids("bdx") })).toEqual(["b", "d"]);
    expect(tries()).toEqual([]);
  });

  test("are never this relay itself", () => {
    const fleet = [relay("self"), relay("a")];
    expect(tries({ relays: [idOf("self")], fleet })).toEqual([]);
  });

  test("are one twice when there is only one", () => {
    expect(tries({ relays: ids("c") })).toEqual(["c", "c"]);
  });

  test("are three at most", () => {
    expect(tries({ relays: ids("abcde") })).toHaveLength(3);
  });

  test("change from visitor to visitor", () => {
    const firsts = [0, 0.4, 0.8].map((random) => tries({ relays: ids("abc"), random })[0]);
    expect(firsts).toEqual(["a", "b", "c"]);
  });

  test("come later when they leave, and last when they could not be reached just now", () => {
    const fleet = [relay("a"), relay("b", { draining: true }), relay("c")];
    const failedAt = (id: NodeId): number | undefined => (id === "a" ? 90_000 : undefined);
    expect(tries({ relays: ids("abc"), fleet, failedAt })).toEqual(["c", "b", "a"]);
    expect(tries({ relays: ids("abc"), fleet, failedAt, now: 190_000 })).toEqual(["a", "c", "b"]);
  });
});
