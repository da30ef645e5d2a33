import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { everyMs } from "../../../shared/nodejs/ticks.ts";

describe("everyMs", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.advanceTimersByTime(1000); // so that no period is left
    vi.useRealTimers();
  });

  it("calls every listener of a period with one timer, until it is stopped", () => {
    const calls = { first: 0, second: 0 };
    const stopFirst = everyMs(100, () => calls.first++);
    vi.advanceTimersByTime(60);
    const stopSecond = everyMs(100, () => calls.second++);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(140);
    expect(calls).toEqual({ first: 2, second: 2 });
    stopFirst();
    vi.advanceTimersByTime(100);
    expect(calls).toEqual({ first: 2, second: 3 });
    stopSecond();
    vi.advanceTimersByTime(100);
    expect([calls.second, vi.getTimerCount()]).toEqual([3, 0]);
  });

  it("begins anew after everybody has left, and keeps periods apart", () => {
    everyMs(100, () => {})();
    vi.advanceTimersByTime(200);
    const calls: string[] = [];
    const stops = [everyMs(100, () => calls.push("short")), everyMs(250, () => calls.push("long"))];
    vi.advanceTimersByTime(300);
    expect(calls).toEqual(["short", "short", "long", "short"]);
    for (const stop of stops) stop();
  });

  it("lets a listener stop itself while it is called", () => {
    let calls = 0;
    const stop = everyMs(100, () => {
      calls++;
      stop();
    });
    vi.advanceTimersByTime(500);
    expect(calls).toBe(1);
  });
});
