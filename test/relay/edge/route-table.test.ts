import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { RouteTable } from "../../../relay/edge/route-table.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";

const [alice, bob] = ["a1".repeat(32) as NodeId, "b2".repeat(32) as NodeId];
const relays = (...ids: string[]) => ids.map((id) => id.repeat(32) as NodeId);

test("nodes with the same relays share one list, whatever message told of it", () => {
  const table = new RouteTable();
  table.change({ name: "a.zone", node: alice, epoch: 1, relays: relays("c3", "d4") }, new Set());
  table.change({ name: "b.zone", node: bob, epoch: 1, relays: relays("c3", "d4") }, new Set());
  expect(table.node(bob)?.relays).toBe(table.node(alice)?.relays);
});

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

test("100,000 routes with relays take less than 50 MB of heap", () => {
  const table = new RouteTable();
  const hex = (n: number): string => n.toString(16).padStart(64, "0");
  const before = heapUsed();
  for (let n = 0; n < 100_000; n++) {
    // As it is parsed from a message: every text and list is another.
    const { name, node } = JSON.parse(`{"name":"${hex(n)}.zone","node":"${hex(n)}"}`) as { name: string; node: NodeId };
    table.change({ name, node, epoch: 1, relays: relays("c3", "d4") }, new Set());
  }
  expect(table.size).toBe(100_000);
  expect(heapUsed() - before).toBeLessThan(50_000_000);
});
