/** The bot as a process of its own, which a test can kill; mail is brought to it by another process. */
import { systemClock } from "../../../../shared/clock.ts";
import { silentLog } from "../../../../shared/log.ts";
import { openBot } from "../../../../tee-bot/bot/bot.ts";
import { signalSettingsSchema } from "../../../../tee-bot/bot/settings.ts";

export interface BotTask {
  readonly directory: string;
  readonly api: string;
  readonly gateway: { readonly origin: string; readonly key: string };
}

const task = JSON.parse(process.argv[2] ?? "") as BotTask;
const settings = signalSettingsSchema.parse({
  api: task.api,
  receive: { by: "own-process" },
  limits: { sendsPerSecond: 1_000, sendBurst: 1_000 },
});
const bot = await openBot({
  ...task,
  settings: { ...settings, api: task.api },
  tee: { tee: "none", reason: "This is a test." },
  verify: () => ({
    name: "verify",
    aliases: [],
    usage: "",
    summary: "",
    detail: "",
    run: () => Promise.resolve({ text: "" }),
  }),
  onIdentity: () => {},
  permission: () => ({ ok: true }),
  env: {},
  clock: systemClock,
  log: silentLog,
});
const stop = new AbortController();
process.once("disconnect", () => process.exit());
process.on("message", () => process.send?.(bot.state()));
process.send?.({ ready: true });
await bot.run(stop.signal);
