import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import { Sensitive } from "../../../shared/sensitive.ts";
import { botFilesIn } from "../../../tee-bot/bot/bot-files.ts";
import type { BotState } from "../../../tee-bot/bot/bot-state.ts";
import { isUrgent } from "../../../tee-bot/bot/commands/urgent.ts";
import { openMailSlot } from "../../../tee-bot/bot/mail/mail-slot.ts";
import { hookUrl } from "../../../tee-bot/bot/receive/credential.ts";
import { startReceiver } from "../../../tee-bot/bot/receive/receiver.ts";
import { signalSettingsSchema } from "../../../tee-bot/bot/settings.ts";
import { startSignalSimulator } from "../../../tee-bot/bot/simulator/simulator.ts";
import { openStorageKey } from "../../../tee-bot/store/storage-key.ts";
import { startGateway } from "../../support/gateway.ts";
import { freePort, stopProcess, until } from "../../support/postern.ts";
import { startUpstream } from "../../support/upstream/upstream.ts";
import { echo } from "./support/bot-world.ts";
import type { BotTask } from "./support/bot-child.ts";

const childPath = join(import.meta.dirname, "support/bot-child.ts");
const ownKey = "the-key-of-this-test";
const messages = 100;
const people = 20;
const burstMs = 120_000;

describe("a bot that is killed again and again in a burst", () => {
  it("answers each message exactly once, or lists it as undecidable", async () => {
    await using parts = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), "postern-kill-"));
    parts.defer(() => rmSync(directory, { recursive: true, force: true }));
    const upstream = parts.use(
      await startUpstream({
        models: ["model"],
        behaviour: async (request, reply) => {
          await reply.wait(Math.random() * 300);
          await echo(request, reply);
        },
      }),
    );
    const gateway = parts.use(await startGateway({ providers: { test: { baseUrl: upstream.baseUrl } }, ownKey }));
    const files = botFilesIn(directory);
    const tee = { tee: "none", reason: "This is a test." } as const;
    const storageKey = await openStorageKey({ mode: "durable", tee, path: files.storageKey });
    const common = { clock: systemClock, log: silentLog };
    const slot = parts.use(openMailSlot({ path: files.mail, storageKey, maxAgeMs: 3_600_000, isUrgent, ...common }));
    const port = await freePort();
    const secret = new Sensitive("the password of this test".replaceAll(" ", "-"));
    const hook = hookUrl(secret, new URL(`http://127.0.0.1:${port}`)).reveal();
    const simulator = parts.use(await startSignalSimulator({ hook }));
    const api = simulator.url;
    const account = simulator.account.number;
    const settings = signalSettingsSchema.parse({ api, account, receive: { port, websocket: false } });
    parts.use(await startReceiver({ settings, slot, secret, fetch, random: Math.random, ...common }));

    const task: BotTask = { directory, api, gateway: { origin: gateway.origin, key: ownKey } };
    let bot: ChildProcess | undefined;
    parts.defer(async () => void (bot && (await stopProcess(bot, "SIGKILL"))));
    const start = async (): Promise<void> => {
      bot = fork(childPath, [JSON.stringify(task)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
      await once(bot, "message");
    };
    const state = async (): Promise<BotState> => {
      bot!.send("state");
      return (await once(bot!, "message"))[0] as BotState;
    };

    await start();
    for (let n = 0; n < messages; n++) simulator.phone(`person-${n % people}`).write({ text: `message ${n}` });
    for (let kill = 0; kill < 4; kill++) {
      await delay(500 + Math.random() * 2_000);
      await stopProcess(bot!, "SIGKILL");
      await start();
    }
    await until(
      async () => {
        const { mailbox } = await state();
        return simulator.waiting === 0 && mailbox.waiting + mailbox.inHand + mailbox.replies === 0;
      },
      burstMs,
      "all is answered",
    );

    const { mailbox } = await state();
    const counts = new Map<string, number>();
    for (let person = 0; person < people; person++)
      for (const { from, text } of simulator.conversation(`person-${person}`).messages)
        if (from === "bot" && text.startsWith("echo: ")) counts.set(text, (counts.get(text) ?? 0) + 1);
    const unanswered = Array.from({ length: messages }, (_, n) => `echo: message ${n}`).filter(
      (one) => !counts.has(one),
    );
    expect([...counts].filter(([, count]) => count > 1)).toEqual([]);
    expect(unanswered.length).toBeLessThanOrEqual(mailbox.undecidable);
    expect(mailbox.undecidable).toBeLessThanOrEqual(4); // one call at a time was under way at each kill
    expect(mailbox.dead).toBe(0);
    expect(simulator.lost).toEqual([]);
  }, 240_000);
});
