import { fork, spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { aborted } from "../../../shared/nodejs/termination.ts";

const script = join(import.meta.dirname, "termination-child.ts");
const stdio: StdioOptions = ["ignore", "pipe", "inherit"];

/** What the child says once it waits and was then told to end, and how it went. */
async function endOf(
  child: ChildProcess,
  end: () => void,
): Promise<{ said: string[]; code: unknown; signal: unknown }> {
  const said: string[] = [];
  if (!child.stdout) throw new Error("the child has no output");
  const lines = createInterface({ input: child.stdout });
  const exit = once(child, "exit"); // "close" never comes after disconnect() (Node 24)
  const silence = once(lines, "close");
  lines.on("line", (line) => {
    said.push(line);
    if (line === "waiting") end();
  });
  const [code, signal] = (await exit) as [unknown, unknown];
  await silence;
  return { said, code, signal };
}

describe("onTermination", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("aborts at %s, and lets the process end by itself", async (signal) => {
    const child = spawn(process.execPath, [script], { stdio });
    const end = await endOf(child, () => child.kill(signal));
    expect(end).toEqual({ said: ["waiting", signal], code: 0, signal: null });
  });

  it("aborts when the channel to the launcher closes, as it does however the launcher dies", async () => {
    const child = fork(script, { stdio: ["ignore", "pipe", "inherit", "ipc"], execArgv: [] });
    const end = await endOf(child, () => child.disconnect());
    expect(end).toEqual({ said: ["waiting", "the launcher is gone"], code: 0, signal: null });
  });

  it("takes a second signal for an order to end now", async () => {
    // The first signal is answered by ending; a process that hangs in doing so must still be stoppable by hand.
    const hanging = `import { onTermination } from ${JSON.stringify(import.meta.resolve("../../../shared/nodejs/termination.ts"))};
      onTermination().addEventListener("abort", () => console.log("stopping"));
      setInterval(() => {}, 1000);
      console.log("waiting");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", hanging], { stdio });
    child.stdout?.on("data", (data: Buffer) => {
      if (data.toString().includes("stopping")) child.kill("SIGTERM");
    });
    expect((await endOf(child, () => child.kill("SIGTERM"))).signal).toBe("SIGTERM");
  });
});

describe("aborted", () => {
  it("resolves at once for a signal that has aborted, and later for one that will", async () => {
    await aborted(AbortSignal.abort());
    const controller = new AbortController();
    const wait = aborted(controller.signal);
    controller.abort();
    await wait;
  });
});
