import { describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { Deadlines } from "../../../shared/nodejs/deadlines.ts";

describe("Deadlines", () => {
  it("tells each item that waited too long, the first first, and no other", async () => {
    const expired: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadlines = new Deadlines<string>({
      ms: 40,
      clock: systemClock,
      onExpired: (item) => {
        expired.push(item);
        if (item === "last") resolve();
      },
    });
    const start = performance.now();
    for (const item of ["first", "stopped", "last"]) deadlines.start(item);
    expect(deadlines.stop("stopped")).toBe(true);
    const alive = setTimeout(() => {}, 10_000); // the deadlines themselves keep no process alive
    await promise;
    clearTimeout(alive);
    expect(expired).toEqual(["first", "last"]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(39);
    expect([deadlines.size, deadlines.stop("first")]).toEqual([0, false]);
  });

  it("begins anew for an item that starts again", () => {
    let now = 0;
    const deadlines = new Deadlines<string>({
      ms: 1000,
      clock: { now: () => now, sleep: () => Promise.resolve() },
      onExpired: () => {},
    });
    deadlines.start("a");
    now = 900;
    deadlines.start("a");
    expect(deadlines.size).toBe(1);
    expect([deadlines.stop("a"), deadlines.stop("a"), deadlines.size]).toEqual([true, false, 0]);
  });
});
