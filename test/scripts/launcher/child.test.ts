import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Child, type ChildOptions } from "../../../scripts/launcher/child.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { isAlive, until } from "../../support/postern.ts";

type Crash = Parameters<ChildOptions["onCrash"]>[0];

let folder: ReturnType<typeof temporaryFolder>;
let children: Child[];
beforeEach(() => {
  folder = temporaryFolder();
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.stop(100)));
  folder[Symbol.dispose]();
});

/** Runs this script as a child and records what the launcher is told. */
function start(script: string, { env = {}, finalExitCodes }: Partial<ChildOptions> = {}) {
  const file = join(folder.path, "child.mjs");
  writeFileSync(file, script);
  const seen = { messages: [] as unknown[], crashes: [] as Crash[], pids: [] as number[] };
  const logFile = join(folder.path, "child.log");
  const child = new Child({
    name: "child",
    args: [file],
    env,
    logFile,
    onMessage: (message) => seen.messages.push(message),
    onCrash: (crash) => seen.crashes.push(crash),
    onStart: (pid) => seen.pids.push(pid),
    ...(finalExitCodes && { finalExitCodes }),
  });
  children.push(child);
  return { child, seen, log: () => readFileSync(logFile, "utf8") };
}

const waiting = "process.send('ready'); setInterval(() => {}, 1000);";

describe("a child of the launcher", () => {
  it("gets its settings, and its messages and words arrive", async () => {
    const { child, seen, log } = start(`console.log("word", process.env.SETTING); console.error("cry"); ${waiting}`, {
      env: { SETTING: "given" },
    });
    await until(() => seen.messages.length === 1, 5_000, "its message");
    await until(() => log().includes("cry"), 5_000, "its words");
    expect(log()).toContain("word given");
    expect(seen.pids).toEqual([child.pid]);
  });

  it("is started again at once when it is killed, and then with growing pauses", async () => {
    const { child, seen } = start(`console.error("last words"); process.exit(7);`);
    await until(() => seen.crashes.length === 4, 10_000, "four crashes");
    await child.stop(100);
    const pauses = seen.crashes.map(({ restartInMs }) => restartInMs ?? -1);
    expect(pauses[0]).toBe(0);
    for (const [at, ceiling] of [400, 800, 1_600].entries()) {
      expect(pauses[at + 1]).toBeGreaterThanOrEqual(ceiling / 10);
      expect(pauses[at + 1]).toBeLessThanOrEqual(ceiling);
    }
    expect(seen.crashes[0]).toMatchObject({ how: "exit code 7", lastLines: "last words" });
  });

  it("that is killed by a signal is told so, and has another process id afterwards", async () => {
    const { child, seen } = start(waiting);
    await until(() => seen.messages.length === 1, 5_000, "it is up");
    const before = child.pid;
    process.kill(before, "SIGKILL");
    await until(() => seen.messages.length === 2, 5_000, "it is up again");
    expect(seen.crashes).toMatchObject([{ how: "SIGKILL", restartInMs: 0 }]);
    expect(child.pid).not.toBe(before);
    expect(isAlive(before)).toBe(false);
  });

  it("is left ended after an exit code that is final", async () => {
    const { seen } = start("process.exit(3);", { finalExitCodes: [2, 3] });
    await until(() => seen.crashes.length === 1, 5_000, "it ends");
    expect(seen.crashes[0]).toMatchObject({ how: "exit code 3", restartInMs: undefined });
    expect(seen.pids).toHaveLength(1);
  });

  it("is asked to end, and is not started again", async () => {
    const { child, seen, log } = start(
      `process.once("SIGTERM", () => { console.log("bye"); process.exit(); }); ${waiting}`,
    );
    await until(() => seen.messages.length === 1, 5_000, "it is up");
    const { pid } = child;
    await child.stop(5_000);
    expect(isAlive(pid)).toBe(false);
    expect(seen.crashes).toEqual([]);
    await until(() => log().includes("bye"), 1_000, "its last words").catch(() => {});
  });

  it("that does not end when asked is ended after its grace", async () => {
    const { child, seen } = start(`process.on("SIGTERM", () => {}); ${waiting}`);
    await until(() => seen.messages.length === 1, 5_000, "it is up");
    const { pid } = child;
    const startedAt = performance.now();
    await child.stop(300);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
    expect(isAlive(pid)).toBe(false);
  });

  it("that is stopped amid a pause never comes back", async () => {
    const { child, seen } = start("process.exit(1);");
    await until(() => (seen.crashes.at(-1)?.restartInMs ?? 0) > 0, 10_000, "a pause");
    await child.stop(100);
    const { length } = seen.pids;
    await new Promise((resolve) => setTimeout(resolve, (seen.crashes.at(-1)?.restartInMs ?? 0) + 100));
    expect(seen.pids).toHaveLength(length);
  });
});
