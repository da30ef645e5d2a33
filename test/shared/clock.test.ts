import { describe, expect, it } from "vitest";
import { systemClock } from "../../shared/clock.ts";

describe("systemClock", () => {
  it("sleeps for as long as it was told", async () => {
    const start = performance.now();
    await systemClock.sleep(30);
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
  });

  it("wakes with the signal's reason, at once", async () => {
    const controller = new AbortController();
    const sleep = systemClock.sleep(60_000, controller.signal);
    const reason = new Error("stop");
    controller.abort(reason);
    await expect(sleep).rejects.toBe(reason);
  });

  it("does not begin to sleep when the signal has aborted before", async () => {
    await expect(systemClock.sleep(60_000, AbortSignal.abort("over"))).rejects.toBe("over");
  });

  it("leaves no listener on a signal that outlives many sleeps", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => (listeners++, add(...parameters));
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => (listeners--, remove(...parameters));
    for (let count = 0; count < 5; count++) await systemClock.sleep(0, signal);
    expect(listeners).toBe(0);
  });

  it("tells the time in milliseconds since 1970", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });
});
