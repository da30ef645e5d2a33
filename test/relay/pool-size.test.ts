import { assert, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { decidePoolSize, decideRefill, decideTrim } from "../../relay/pool-size.ts";

const limits = { floor: 32, cap: 512 };

describe("pool size", () => {
  test("is the floor for a node that nobody visits", () => {
    expect(decidePoolSize({ arrivalsPerSecond: 0, roundTripMs: 40, ...limits })).toBe(32);
  });

  test("covers what arrives in three round trips", () => {
    expect(decidePoolSize({ arrivalsPerSecond: 1_000, roundTripMs: 40, ...limits })).toBe(120);
  });

  test("does not exceed the cap", () => {
    expect(decidePoolSize({ arrivalsPerSecond: 1e6, roundTripMs: 1_000, ...limits })).toBe(512);
  });
});

describe("pool refill", () => {
  const stock = { size: 32, cap: 512, idle: 32, promised: 0, waiting: 0, allowance: 4_000 };

  test.each([
    ["asks for nothing when all are there", {}, 0],
    ["asks for one when one was claimed", { idle: 31 }, 1],
    ["counts those on their way", { idle: 0, promised: 32 }, 0],
    ["asks for those that wait as well", { idle: 0, promised: 32, waiting: 10 }, 10],
    ["holds to the cap", { idle: 0, promised: 510, waiting: 2_000 }, 2],
    ["holds to the rate", { idle: 0, allowance: 7 }, 7],
    ["asks for nothing beyond the rate", { idle: 0, allowance: -5 }, 0],
    ["asks for nothing when a burst has left more than needed", { idle: 100 }, 0],
  ])("%s", (_, changed, expected) => {
    expect(decideRefill({ ...stock, ...changed })).toBe(expected);
  });

  test("never asks for more than cap and rate allow", () => {
    const count = nat(2_000);
    assert(
      property(count, count, count, count, count, (size, idle, promised, waiting, allowance) => {
        const refill = decideRefill({ size, cap: 512, idle, promised, waiting, allowance });
        expect(refill).toBeGreaterThanOrEqual(0);
        expect(refill).toBeLessThanOrEqual(allowance);
        if (refill > 0) expect(idle + promised + refill).toBeLessThanOrEqual(512);
      }),
    );
  });

  test("gives up what is more than twice the size", () => {
    expect([decideTrim({ size: 32, idle: 64 }), decideTrim({ size: 32, idle: 70 })]).toEqual([0, 6]);
  });
});
