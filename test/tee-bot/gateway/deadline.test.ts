import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Deadline } from "../../../tee-bot/gateway/deadline.ts";

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

describe("a deadline", () => {
  it("is told once, not before its time and not much later", async () => {
    const times: number[] = [];
    const since = performance.now();
    const deadline = new Deadline(() => times.push(performance.now() - since));
    deadline.set(60);
    await sleep(300);
    expect(times).toHaveLength(1);
    expect(times[0]).toBeGreaterThanOrEqual(60);
    expect(times[0]).toBeLessThan(250);
  });

  it("is not told when it was moved or cleared before, and can be set again by whoever is told", async () => {
    const told: string[] = [];
    const moved = new Deadline(() => told.push("moved"));
    const cleared = new Deadline(() => told.push("cleared"));
    const again: Deadline = new Deadline(() => told.push("again") < 4 && again.set(30));
    for (const deadline of [moved, cleared, again]) deadline.set(30);
    moved.set(60_000);
    cleared.clear();
    await sleep(400);
    moved.clear();
    expect(told).toEqual(["again", "again", "again", "again"]);
  });

  it("shares its timer with all others, which ends when there are none", async () => {
    await sleep(100);
    const before = timers();
    const many = Array.from({ length: 1_000 }, () => new Deadline(() => {}));
    for (const deadline of many) deadline.set(60_000);
    expect(timers()).toBe(before + 1);
    for (const deadline of many) deadline.clear();
    await sleep(200);
    expect(timers()).toBe(before);
  });
});
