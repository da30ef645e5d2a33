import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addSimulateCommand } from "../../../tee-bot/cli/signal-simulate.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { soon } from "../bot/simulator/support/world.ts";
import { startHook } from "../bot/simulator/support/hook.ts";

const program = join(import.meta.dirname, "support/signal-simulate-program.ts");
const readyTimeoutMs = 15_000;

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
}

async function start(...args: string[]): Promise<Started> {
  const child = fork(program, ["simulate", ...args], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  stack.defer(() => void child.kill("SIGKILL"));
  const [message] = (await once(child, "message", { signal: AbortSignal.timeout(readyTimeoutMs) })) as [
    { ready: boolean; url: string },
  ];
  expect(message).toEqual({ ready: true, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string });
  return { child, url: message.url };
}

async function ask(url: string, body?: unknown): Promise<Record<string, unknown>> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
  return (await response.json()) as Record<string, unknown>;
}

async function end({ child }: Started, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

describe("postern signal simulate", () => {
  it("keeps over a kill what people saw and what waits for the bot", async () => {
    const state = stack.use(temporaryFolder()).path;
    const hook = stack.use(await startHook());
    const first = await start("--state", state, "--hook", hook.url);
    const { number } = await ask(`${first.url}/messages/account`);
    const { timestamp } = await ask(`${first.url}/messages`, { text: "before" });
    await soon(() => hook.texts().length === 1);
    const { people } = (await ask(`${first.url}/messages/people`)) as { people: { uuid: string }[] };
    await ask(`${first.url}/v2/send`, { number, recipients: [people[0]!.uuid], message: "answer" });
    await end(first, "SIGKILL");

    const second = await start("--state", state, "--hook", hook.url);
    const { messages } = (await ask(`${second.url}/messages`)) as { messages: Record<string, unknown>[] };
    expect(messages.map(({ from, text }) => [from, text])).toEqual([
      ["you", "before"],
      ["bot", "answer"],
    ]);
    expect(messages[0]).toMatchObject({ timestamp, delivered: true });
    await ask(`${second.url}/messages`, { text: "after" });
    await soon(() => hook.texts().length === 2);
    expect(hook.texts()).toEqual(["before", "after"]);
    const { lost } = (await ask(`${second.url}/messages/lost`)) as { lost: { kind: string }[] };
    expect(lost.filter(({ kind }) => kind === "dataMessage")).toEqual([]);
  });

  it("says after a kill which messages nobody may have taken", async () => {
    const state = stack.use(temporaryFolder()).path;
    const hook = stack.use(await startHook());
    hook.answer = () => new Promise(() => {});
    const first = await start("--state", state, "--hook", hook.url);
    const { timestamp } = await ask(`${first.url}/messages`, { text: "under way" });
    await soon(() => hook.posted.length === 1);
    await end(first, "SIGKILL");
    const second = await start("--state", state, "--hook", hook.url);
    expect(await ask(`${second.url}/messages/lost`)).toMatchObject({
      lost: [{ from: "you", timestamp, kind: "dataMessage", mayHaveArrived: true }],
    });
  });

  it("is back at its port after a kill in mid-burst, and accounts for each message", async () => {
    const state = stack.use(temporaryFolder()).path;
    const hook = stack.use(await startHook());
    const first = await start("--state", state, "--hook", hook.url);
    const { port } = new URL(first.url);
    const sent: number[] = [];
    for (let count = 0; count < 60; count++) {
      const { timestamp } = await ask(`${first.url}/messages`, {
        text: `message ${count}`,
        from: `person ${count % 7}`,
      });
      sent.push(timestamp as number);
      if (count === 20) hook.answer = () => new Promise((resolve) => setTimeout(() => resolve({ status: 200 }), 50));
    }
    await end(first, "SIGKILL");
    hook.answer = () => ({ status: 200 });
    const second = await start("--state", state, "--hook", hook.url, "--port", port);
    const accounted = async (): Promise<boolean> => {
      const { lost } = (await ask(`${second.url}/messages/lost`)) as { lost: { timestamp: number }[] };
      const known = new Set([...hook.envelopes(), ...lost].map(({ timestamp }) => timestamp));
      return sent.every((timestamp) => known.has(timestamp));
    };
    await soon(accounted);
    const posted = hook.envelopes().map(({ timestamp }) => timestamp);
    expect(posted).toEqual([...new Set(posted)]);
    expect(posted.at(-1)).toBe(sent.at(-1));
  });

  it("ends when it is told to, and when its parent is gone", async () => {
    const asked = await start();
    await end(asked, "SIGTERM");
    expect(asked.child.exitCode).toBe(0);
    const orphan = await start();
    const exited = once(orphan.child, "exit");
    orphan.child.disconnect();
    expect((await exited)[0]).toBe(0);
  });

  it.each([
    ["--port", "x"],
    ["--hook", "ftp://127.0.0.1/"],
    ["--account", "alice"],
  ])("refuses %s %s and says what it takes", async (flag, value) => {
    const child = fork(program, ["simulate", flag, value], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    let said = "";
    child.stderr!.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(1);
    expect(said).toContain("The simulator of Signal did not start.");
    expect(said).toContain(flag);
  });

  it("is a command of its own, for whichever group it is put into", () => {
    const parent = new Command("signal");
    addSimulateCommand(parent);
    expect(parent.commands.map((command) => command.name())).toEqual(["simulate"]);
  });
});
