import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Deadline } from "../../../tee-bot/gateway/deadline.ts";

const file = join(import.meta.dirname, "../../../tee-bot/gateway/deadline.ts");
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

  it("shares its timer with all others", () => {
    const before = timers();
    const many = Array.from({ length: 1_000 }, () => new Deadline(() => {}));
    for (const deadline of many) deadline.set(60_000);
    expect(timers() - before).toBeLessThan(10); // those of the test's own runner come and go
    for (const deadline of many) deadline.clear();
  });

  it("lets a process end once none is set", async () => {
    const script = `import { Deadline } from ${JSON.stringify(file)}; const one = new Deadline(() => {}); one.set(60_000); one.clear();`;
    const ended = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 15_000 });
    await expect(ended).resolves.toMatchObject({ stderr: "" });
  });
});
