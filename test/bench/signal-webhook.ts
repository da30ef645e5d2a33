/**
 * How long does who posts a message wait for 200, with the message on the disk, and after what time does another process know
 * of it? One message at a time, as signal-cli-rest-api posts them, to `postern signal receive`.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "undici";
import { systemClock } from "../../shared/clock.ts";
import { silentLog } from "../../shared/log.ts";
import { botFilesIn } from "../../tee-bot/bot/bot-files.ts";
import { openMailbox } from "../../tee-bot/bot/mail/open-mailbox.ts";
import type { Mailbox } from "../../tee-bot/bot/mail/mailbox.ts";
import { line, median } from "./support/table.ts";

const goalMs = 10;
const messages = 500;
const account = "+15550000001";
const person = "aaaaaaaa-1111-4111-8111-111111111111";
const readyMs = 30_000;
const newsMs = 5_000;

interface Receiver extends AsyncDisposable {
  readonly port: number;
}

export async function measureWebhook(directory: string, scale: number): Promise<string> {
  const state = join(directory, "signal");
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, "postern.yaml"), "signal:\n  receive:\n    by: own-process\n    port: 0\n");
  await using receiver = await startReceiver(state);
  using box = openBox(state);
  const client = new Client(`http://127.0.0.1:${receiver.port}`);
  const headers = { authorization: credential(state), "content-type": "application/json" };
  const answered: number[] = [];
  const known: number[] = [];
  let onNews = (): void => {};
  box.onNews(() => onNews());
  for (let count = 0; count < messages * scale; count++) {
    const { promise: news, resolve } = Promise.withResolvers<void>();
    onNews = () => box.state().waiting > count && resolve();
    const startedAt = performance.now();
    const answer = await client.request({ method: "POST", path: "/hooks/signal", headers, body: notification(count) });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`the webhook answered ${answer.statusCode}`);
    const answeredAt = performance.now();
    answered.push(answeredAt - startedAt);
    await Promise.race([news, systemClock.sleep(newsMs)]);
    known.push(Math.max(0, performance.now() - answeredAt));
  }
  await client.close();
  return format(answered, known);
}

function format(answered: readonly number[], known: readonly number[]): string {
  const p99 = (values: readonly number[]): number =>
    values.toSorted((one, other) => one - other)[Math.floor(values.length * 0.99)] ?? 0;
  const verdict = `goal ${goalMs} ms: ${median(answered) <= goalMs ? "met" : "missed"}`;
  const row = (name: string, values: readonly number[], note: string): string =>
    line([name, median(values).toFixed(2), p99(values).toFixed(2), note]);
  return [
    line(["**a message at the webhook**", "p50 ms", "p99 ms", ""]),
    line(["---", "---", "---", "---"]),
    row("answered 200, stored", answered, verdict),
    row("known to the node's process after that", known, "–"),
  ].join("\n");
}

function notification(count: number): string {
  const timestamp = Date.now() + count; // names the message
  const envelope = { sourceUuid: person, timestamp, dataMessage: { timestamp, message: "How are you today?" } };
  return JSON.stringify({ jsonrpc: "2.0", method: "receive", params: { envelope, account } });
}

function credential(state: string): string {
  const secret = readFileSync(botFilesIn(state).hookSecret, "utf8").trim();
  return `Basic ${Buffer.from(`postern:${secret}`).toString("base64")}`;
}

/** As the node has it. */
function openBox(state: string): Mailbox {
  const { mail, storageKey } = botFilesIn(state);
  const key = Buffer.from(readFileSync(storageKey, "utf8"), "base64");
  const limits = { maxAgeMs: 3_600_000, maxAttempts: 5 };
  return openMailbox({ path: mail, storageKey: key, clock: systemClock, log: silentLog, ...limits });
}

async function startReceiver(state: string): Promise<Receiver> {
  const program = join(import.meta.dirname, "../../tee-bot/cli/main.ts");
  const child = fork(program, ["signal", "receive", "--state", state], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const [{ port }] = (await once(child, "message", { signal: AbortSignal.timeout(readyMs) })) as [{ port: number }];
  return {
    port,
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}
