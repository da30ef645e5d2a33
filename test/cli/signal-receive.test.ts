import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { silentLog } from "../../shared/log.ts";
import { botFilesIn } from "../../tee-bot/bot/bot-files.ts";
import type { MessageEvent } from "../../tee-bot/bot/events/event.ts";
import type { Mailbox } from "../../tee-bot/bot/mail/mailbox.ts";
import { openMailbox } from "../../tee-bot/bot/mail/open-mailbox.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { root } from "../support/postern.ts";
import { postern } from "./run.ts";

const readyMs = 20_000;
/** How often the mailbox looks by itself. */
const lookMs = 1_000;
const account = "+15550000001";
const alice = "aaaaaaaa-1111-4111-8111-111111111111";
let stack: AsyncDisposableStack;
let folder: string;
beforeEach(() => {
  stack = new AsyncDisposableStack();
  folder = stack.use(temporaryFolder()).path;
});
afterEach(() => stack.disposeAsync());

interface Process {
  readonly child: ChildProcess;
  readonly port: number;
  readonly stderr: () => string;
}

async function start(): Promise<Process> {
  const program = join(root, "tee-bot/cli/main.ts");
  const child = fork(program, ["signal", "receive", "--state", folder], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  stack.defer(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr!.on("data", (text) => (stderr += String(text)));
  const ended = once(child, "exit").then(() => Promise.reject(new Error(stderr)));
  const signal = AbortSignal.timeout(readyMs);
  const [{ port }] = (await Promise.race([once(child, "message", { signal }), ended])) as [{ port: number }];
  return { child, port, stderr: () => stderr };
}

async function post(port: number, text: string): Promise<number> {
  const secret = readFileSync(botFilesIn(folder).hookSecret, "utf8").trim();
  const timestamp = Date.now();
  const envelope = { sourceUuid: alice, timestamp, dataMessage: { timestamp, message: text } };
  const authorization = `Basic ${Buffer.from(`postern:${secret}`).toString("base64")}`;
  const response = await fetch(`http://127.0.0.1:${port}/hooks/signal`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ method: "receive", params: { envelope, account } }),
  });
  await response.body?.cancel();
  return response.status;
}

/** As the node would open it. */
function openBox(): Mailbox {
  const { mail, storageKey } = botFilesIn(folder);
  const key = Buffer.from(readFileSync(storageKey, "utf8"), "base64");
  const limits = { maxAgeMs: 3_600_000, maxAttempts: 5 };
  return stack.use(openMailbox({ path: mail, storageKey: key, clock: systemClock, log: silentLog, ...limits }));
}

const ownProcess = "signal:\n  receive:\n    by: own-process\n    port: 0\n";

describe("postern signal receive", () => {
  it("takes messages in while there is no node, keeps them over kill -9, and gives them to the node", async () => {
    writeFileSync(join(folder, "postern.yaml"), ownProcess);
    const first = await start();
    expect(await post(first.port, "before")).toBe(200);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");

    const second = await start();
    const box = openBox();
    const news: number[] = [];
    box.onNews(() => news.push(performance.now()));
    await expect.poll(() => news.length).toBe(1);
    const takeTexts = (): string[] => box.take(5).map(({ event }) => (event as MessageEvent).text.reveal());
    expect(takeTexts()).toEqual(["before"]);
    expect(await post(second.port, "!stop")).toBe(200);
    await expect.poll(() => news.length).toBe(2);
    expect(takeTexts()).toEqual(["!stop"]);

    second.child.kill("SIGTERM");
    expect((await once(second.child, "exit"))[0]).toBe(0);
    expect(second.stderr()).toContain("receiver.stopping");
    expect(first.stderr() + second.stderr()).not.toMatch(/before|!stop|\+1555|aaaaaaaa/);
    for (const path of [botFilesIn(folder).hookSecret, botFilesIn(folder).mail])
      expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("lets the node know of each message at once, not when it looks by itself", async () => {
    writeFileSync(join(folder, "postern.yaml"), ownProcess);
    const { port } = await start();
    const box = openBox();
    let isKnown = (): void => {};
    box.onNews(() => box.state().waiting > 0 && isKnown());
    for (let count = 0; count < 20; count++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      isKnown = resolve;
      expect(await post(port, "hello")).toBe(200);
      const late = sleep(lookMs * 0.7, "late", { ref: false });
      expect(await Promise.race([promise.then(() => "known"), late])).toBe("known");
      for (const mail of box.take(5)) box.answer(mail, []);
    }
  });

  it("ends with who started it", async () => {
    writeFileSync(join(folder, "postern.yaml"), ownProcess);
    const { child } = await start();
    child.disconnect();
    expect((await once(child, "exit"))[0]).toBe(0);
  });

  it("leaves it to the node where the settings do, and makes no file", async () => {
    const { code, stderr } = await postern("signal", "receive", "--state", folder);
    expect(code).toBe(1);
    expect(stderr).toContain("signal.receive.by");
    expect(existsSync(botFilesIn(folder).folder)).toBe(false);
  });

  it("says what is wrong with the password that it is given", async () => {
    writeFileSync(join(folder, "postern.yaml"), `${ownProcess}    secretFile: short\n`);
    writeFileSync(join(folder, "short"), "1234", { mode: 0o600 });
    const { code, stderr } = await postern("signal", "receive", "--state", folder);
    expect(code).toBe(1);
    expect(stderr).toContain(`${join(folder, "short")} has no password for the webhook`);
  });
});
