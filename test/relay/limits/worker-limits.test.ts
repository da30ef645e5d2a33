import { expect, test } from "vitest";
import { readConfig } from "../../../relay/config.ts";
import { decideWorkerLimits } from "../../../relay/limits/worker-limits.ts";

const { limits } = readConfig(
  { RELAY_EDGE_URL: "https://edge.test", RELAY_ZONE: "zone.test", RELAY_IDENTITY_FILE: "x", RELAY_POOL_FLOOR: "5" },
  10_000,
);

test("one worker has the limits of the relay", () => {
  expect(decideWorkerLimits(limits, 1)).toEqual(limits);
});

test("several have what adds up to the limits of the relay, and each has something", () => {
  const { maxVisitors, perNode, perNetwork, perPeer, poolFloor, poolCap, maxTunnelsPerNode } = decideWorkerLimits(
    limits,
    3,
  );
  expect(maxVisitors).toBe(Math.ceil(limits.maxVisitors / 3));
  for (const share of [perNode, perNetwork]) expect(share).toMatchObject({ perSecond: 1_334, burst: 2_667 });
  expect(perPeer.maxOpen).toBe(Math.ceil(limits.perPeer.maxOpen / 3));
  expect(poolFloor).toBe(2);
  expect([poolCap, maxTunnelsPerNode]).toEqual([limits.poolCap, limits.maxTunnelsPerNode]);
  expect(decideWorkerLimits(limits, 1_000_000).maxVisitors).toBe(1);
});
