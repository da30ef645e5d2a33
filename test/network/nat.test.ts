/** A NAT between node and relays forgets connections that lie idle, and drops what still comes of them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeNetwork } from "../support/network-tests.ts";
import { startNetworkWorld, type NetworkWorld } from "../support/network-world.ts";
import { until } from "../support/postern.ts";

const forgetMs = 4_000; // heartbeats come every two seconds, keep-alives of idle connections every thirty
const longMs = 3_600_000;
const poolFloor = 32; // as a relay has it unless told otherwise
const pairingMs = 5_000; // as a relay has it: later is never
const laterVisitMs = 400;

let world: NetworkWorld;

describeNetwork("a NAT that forgets idle connections", () => {
  beforeAll(async () => {
    world = await startNetworkWorld({ prepare: (network) => network.masquerade("node", forgetMs) });
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  test("costs the first visitor a moment, the later ones nothing, and no tunnel", async () => {
    await until(() => world.metric("relay-a", "pool_idle ") >= poolFloor, 5_000, "the pool is full");
    await new Promise((resolve) => setTimeout(resolve, 2 * forgetMs));
    const since = performance.now();
    world.network.masquerade("node", longMs);
    const first = await world.visit("relay-a");
    expect(first).toMatchObject({ status: 200, error: "" });
    expect(first.ms).toBeGreaterThan(500); // else nothing was forgotten
    expect(first.ms).toBeLessThan(pairingMs);
    const later = [];
    for (let visit = 0; visit < 10; visit++) later.push(await world.visit("relay-a"));
    expect(later.map(({ status }) => status)).toEqual(later.map(() => 200));
    const typical = later.map(({ ms }) => ms).toSorted((a, b) => a - b)[5];
    expect(typical).toBeLessThan(laterVisitMs); // over a forgotten connection it would be more than half a second
    await until(() => world.metric("relay-a", "pool_idle ") >= poolFloor, 5_000, "the pool is full again");
    expect(world.metric("relay-a", "tunnels ")).toBe(1);
    expect(world.log("node").filter(({ event, at }) => at > since && event === "transport.fell-back")).toEqual([]);
  });

  test("serves several visitors who come at once", async () => {
    // What lies ready at the other relay was forgotten as well, and nobody has come for it since.
    const visits = await Promise.all(Array.from({ length: 10 }, () => world.visit("relay-b")));
    expect(visits.map(({ status, error }) => `${status} ${error}`)).toEqual(visits.map(() => "200 "));
  });
});
