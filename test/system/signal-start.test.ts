import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAlive, processTree, root, startPostern, until, type Postern } from "../support/postern.ts";
import { runProgram } from "../support/visit.ts";
import { join } from "node:path";

interface Shown {
  from: string;
  text: string;
  timestamp: number;
}

const answerMs = 60_000;
const askAgainMs = 3_000;

describe("the launcher with --signal simulated", () => {
  let postern: Postern;
  let url: string;

  beforeAll(async () => {
    postern = await startPostern({ args: ["--signal", "simulated"] });
    url = postern.run.signal?.url ?? "";
  });
  afterAll(() => postern[Symbol.asyncDispose]());

  const read = async (): Promise<Shown[]> =>
    ((await (await fetch(`${url}/messages`)).json()) as { messages: Shown[] }).messages;
  const say = async (text: string): Promise<number> => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${url}/messages`, { method: "POST", headers, body: JSON.stringify({ text }) });
    expect(response.status).toBe(201);
    return ((await response.json()) as { timestamp: number }).timestamp;
  };
  const answersAfter = async (timestamp: number): Promise<string[]> =>
    (await read()).filter((one) => one.from === "bot" && one.timestamp > timestamp).map(({ text }) => text);

  it("names the simulator in its line and in its summary, and serves a page there", async () => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(postern.stderr()).toContain(`npm run postern -- signal chat --url ${url}`);
    const page = await fetch(`${url}/`);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await page.text()).toContain("<title>Postern");
  });

  it("answers a person by the node's own model, once", async () => {
    const asked = await say("What is Postern?");
    const isAnswer = (text: string): boolean => text.includes("public HTTPS name");
    await until(async () => (await answersAfter(asked)).some(isAnswer), answerMs, "the model has answered");
    const [welcome, ...answers] = await answersAfter(asked);
    expect(welcome).toContain("!privacy");
    expect(answers).toHaveLength(1);
  });

  it("talks in a terminal too, and is well by its own word", async () => {
    const main = join(root, "tee-bot/cli/main.ts");
    const state = join(postern.run.state, "node");
    const chat = await runProgram(process.execPath, [main, "signal", "chat", "--url", url], { input: "!help\n" });
    expect(chat.code).toBe(0);
    expect(chat.stdout).toContain("!verify");
    const status = await runProgram(process.execPath, [main, "signal", "status", "--state", state]);
    expect(status.stdout).toContain("The bot is well.");
    const health = await runProgram(process.execPath, [join(root, "scripts/health-check.ts"), "--state", state]);
    expect(health.stdout).toMatch(/ok {3}mailbox/);
  });

  it("answers what was written while the node was down", async () => {
    process.kill(postern.pids().node, "SIGKILL");
    const asked = await say("!help");
    await until(async () => (await answersAfter(asked)).length > 0, answerMs, "the node is back and has answered");
    expect(await answersAfter(asked)).toHaveLength(1);
  });

  it("starts the simulator and the receiver again, each where it was, with the conversation", async () => {
    const before = await read();
    const { signal = 0, receiver = 0 } = postern.pids();
    for (const pid of [signal, receiver]) process.kill(pid, "SIGKILL");
    await until(
      () => postern.pids().signal !== signal && postern.pids().receiver !== receiver,
      10_000,
      "both are back",
    );
    await until(
      () =>
        fetch(`${url}/v1/health`)
          .then(({ ok }) => ok)
          .catch(() => false),
      20_000,
      "the simulator answers",
    );
    expect(await read()).toEqual(before);
    // What Signal gives out before the receiver listens again is lost, as it is with the real one.
    const isAnswered = async (): Promise<boolean> => {
      const asked = await say("!models");
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
      return (await answersAfter(asked)).some((text) => text.includes("postern-demo"));
    };
    await until(isAnswered, answerMs, "answered");
  });

  it("ends everything within 5 s", async () => {
    const tree = processTree(postern.launcher.pid ?? 0);
    expect(tree.length).toBeGreaterThanOrEqual(7);
    expect(await postern.stop()).toBeLessThan(5_000);
    await until(() => !tree.some(isAlive), 500, "no process is left");
  });
});
