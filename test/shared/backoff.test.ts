import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideBackoffMs, decideReconnectMs } from "../../shared/backoff.ts";

describe("decideBackoffMs", () => {
  it("doubles its ceiling with each attempt, up to the greatest wait", () => {
    const waits = [0, 1, 2, 3, 10, 1000].map((attempt) =>
      decideBackoffMs(attempt, { baseMs: 100, maxMs: 15_000, random: () => 1 }),
    );
    expect(waits).toEqual([100, 200, 400, 800, 15_000, 15_000]);
  });

  it("spreads waits over the range below the ceiling, and never waits nothing", () => {
    const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(fc.nat(10_000), random, (attempt, value) => {
        const wait = decideBackoffMs(attempt, { baseMs: 100, maxMs: 15_000, random: () => value });
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(10);
        expect(wait).toBeLessThanOrEqual(15_000);
      }),
    );
    expect(decideBackoffMs(5, { baseMs: 100, maxMs: 15_000, random: () => 0 })).toBe(320);
  });
});

describe("decideReconnectMs", () => {
  it("searches densely for a minute, and seldom afterwards", () => {
    expect(decideReconnectMs(50, 59_999, () => 1)).toBe(1000);
    expect(decideReconnectMs(50, 60_000, () => 1)).toBe(15_000);
    expect(decideReconnectMs(0, 0, () => 1)).toBe(100);
  });
});
