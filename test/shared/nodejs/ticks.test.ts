import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { everyMs } from "../../../shared/nodejs/ticks.ts";

describe("everyMs", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.advanceTimersByTime(10_000); // so that no period is left
    vi.useRealTimers();
  });

  it("calls every listener once a period with one timer for all, until it is stopped", () => {
    const calls = [0, 0];
    const stopFirst = everyMs(800, () => calls[0]!++);
    vi.advanceTimersByTime(450);
    const stopSecond = everyMs(800, () => calls[1]!++);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_600);
    expect(calls).toEqual([2, 2]);
    stopFirst();
    vi.advanceTimersByTime(800);
    expect(calls).toEqual([2, 3]);
    stopSecond();
    vi.advanceTimersByTime(800);
    expect([...calls, vi.getTimerCount()]).toEqual([2, 3, 0]);
  });

  it("does not call at one moment those that came at different ones", () => {
    const calledAt: number[] = [];
    const stops: (() => void)[] = [];
    for (let count = 0; count < 8; count++) {
      stops.push(everyMs(800, () => calledAt.push(Date.now())));
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(700);
    expect([calledAt.length, new Set(calledAt).size]).toEqual([8, 8]);
    for (const stop of stops) stop();
  });

  it("begins anew after everybody has left, and keeps periods apart", () => {
    everyMs(80, () => {})();
    vi.advanceTimersByTime(200);
    const calls: string[] = [];
    const stops = [everyMs(80, () => calls.push("short")), everyMs(200, () => calls.push("long"))];
    vi.advanceTimersByTime(250);
    expect(calls).toEqual(["short", "short", "long", "short"]);
    for (const stop of stops) stop();
  });

  it("lets a listener stop itself while it is called, and stop twice", () => {
    let calls = 0;
    const stop = everyMs(80, () => {
      calls++;
      stop();
      stop();
    });
    vi.advanceTimersByTime(400);
    expect([calls, vi.getTimerCount()]).toEqual([1, 0]);
  });
});
