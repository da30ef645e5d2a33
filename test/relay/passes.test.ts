import { describe, expect, test, vi } from "vitest";
import { Passes } from "../../relay/passes.ts";
import { systemClock, type Clock } from "../../shared/clock.ts";

const owner = () => ({ passExpired: vi.fn<() => void>() });

describe("passes", () => {
  test("lead to their owner once", () => {
    const passes = new Passes({ clock: systemClock });
    const [alice, bob] = [owner(), owner()];
    const [first, second] = passes.issue(alice, 2) as [Uint8Array, Uint8Array];
    const [third] = passes.issue(bob, 1) as [Uint8Array];
    expect([passes.redeem(third), passes.redeem(first), passes.redeem(second)]).toEqual([bob, alice, alice]);
    expect([passes.redeem(first), passes.redeem(new Uint8Array(16))]).toEqual([undefined, undefined]);
  });

  test("are random, and 16 bytes each", () => {
    const passes = new Passes({ clock: systemClock }).issue(owner(), 1_000);
    expect(new Set(passes.map((pass) => Buffer.from(pass).toString("hex"))).size).toBe(1_000);
    expect(passes.every(({ length }) => length === 16)).toBe(true);
  });

  test("are void after ten seconds, which their owner is told once for each", async () => {
    let skippedMs = 0;
    const clock: Clock = { ...systemClock, now: () => Date.now() + skippedMs };
    const passes = new Passes({ clock });
    const alice = owner();
    const [used, left] = passes.issue(alice, 2) as [Uint8Array, Uint8Array];
    passes.redeem(used);
    skippedMs = 10_001;
    await vi.waitFor(() => expect(alice.passExpired).toHaveBeenCalledTimes(1), 3_000);
    expect(passes.redeem(left)).toBeUndefined();
  });
});
