import { describe, expect, it, vi } from "vitest";
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

  it("has one timer however many come and go one after the other, and none once nobody waits", () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const begun = vi.spyOn(globalThis, "setInterval");
      const deadlines = new Deadlines<number>({ ms: 800, clock: systemClock, onExpired: () => {} });
      for (let item = 0; item < 10; item++) {
        deadlines.start(item);
        deadlines.stop(item);
      }
      expect(begun).toHaveBeenCalledOnce();
      vi.advanceTimersByTime(100);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });
});
