import { describe, expect, it } from "vitest";
import { decideRefreshMs, refreshIntervalMs } from "../../../../tee-bot/attestation/collateral/decide-refresh.ts";

const day = 86_400_000;
const decide = (
  held: { retrievedAt: number; validUntil: number | undefined } | undefined,
  now: number,
  failures = 0,
): number => decideRefreshMs(held, { now, failures, random: () => 1 });

describe("collateral is asked for", () => {
  it("at once when there is none", () => {
    expect(decide(undefined, 5)).toBe(0);
  });

  it("every half day while it lasts for long", () => {
    expect(decide({ retrievedAt: 0, validUntil: 30 * day }, 0)).toBe(refreshIntervalMs);
    expect(decide({ retrievedAt: 0, validUntil: 30 * day }, refreshIntervalMs + 1)).toBe(0);
  });

  it("by half of what was left of it when that is sooner", () => {
    expect(decide({ retrievedAt: 0, validUntil: 3_600_000 }, 600_000)).toBe(1_200_000);
  });

  it("at once when it has ended, yet not without end of a service that has none that is current", () => {
    expect(decide({ retrievedAt: 0, validUntil: day }, 2 * day)).toBe(0);
    expect(decide({ retrievedAt: 2 * day, validUntil: day }, 2 * day)).toBe(60_000);
    expect(decide({ retrievedAt: 2 * day, validUntil: undefined }, 2 * day)).toBe(60_000);
  });

  it("after growing pauses when it could not be had", () => {
    const pauses = [1, 2, 3, 20].map((failures) => decide({ retrievedAt: 0, validUntil: day }, 0, failures));
    expect(pauses).toEqual([10_000, 20_000, 40_000, 900_000]);
  });
});
