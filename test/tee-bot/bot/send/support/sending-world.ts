/** A sender over a scripted REST server, on a clock on which minutes pass in a second. */
import { openSending, type Sending } from "../../../../../tee-bot/bot/send/open-sending.ts";
import { signalSettingsSchema } from "../../../../../tee-bot/bot/settings.ts";
import type { Mailbox } from "../../../../../tee-bot/bot/mail/mailbox.ts";
import { hastyClock } from "../../../../support/hasty-clock.ts";
import { until } from "../../../../support/postern.ts";
import { recordingLog } from "../../../support/log.ts";
import { MemoryOutbox } from "./memory-outbox.ts";
import { startScriptedRest, type ScriptedAnswer, type ScriptedCall, type ScriptedRest } from "./scripted-rest.ts";

export interface SendingWorld extends AsyncDisposable {
  readonly rest: ScriptedRest;
  readonly outbox: MemoryOutbox;
  readonly sending: Sending;
  readonly log: ReturnType<typeof recordingLog>;
  /** Texts in the order in which the server was asked to send them. */
  readonly texts: () => string[];
  /** Nothing waits any more. */
  untilDone(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export interface SendingWorldOptions {
  /** Of `/v2/send`. */
  send?: (call: ScriptedCall) => ScriptedAnswer;
  /** Of everything else. */
  other?: (call: ScriptedCall) => ScriptedAnswer;
  factor?: number;
  sendMs?: number;
  settings?: object;
  ttlMs?: number;
}

let lastTimestamp = 1_767_225_600_000;

export function sentAnswer(): ScriptedAnswer {
  return { status: 201, body: { timestamp: String(++lastTimestamp) } };
}

export function usualAnswer({ path }: ScriptedCall): ScriptedAnswer {
  if (path === "/v1/accounts") return { status: 200, body: ["+15550000001"] };
  return { status: 204 };
}

export async function startSendingWorld({
  send = sentAnswer,
  other = usualAnswer,
  factor = 100,
  sendMs = 5_000,
  settings = {},
  ttlMs,
}: SendingWorldOptions = {}): Promise<SendingWorld> {
  const rest = await startScriptedRest((call) => (call.path === "/v2/send" ? send(call) : other(call)));
  const clock = hastyClock(factor);
  const outbox = new MemoryOutbox({ now: () => clock.now(), ...(ttlMs !== undefined && { ttlMs }) });
  const log = recordingLog();
  const sending = openSending({
    api: rest.url,
    settings: signalSettingsSchema.parse({ limits: { sendBurst: 1_000 }, ...settings }),
    mailbox: outbox as unknown as Mailbox, // nothing but its replies is used
    clock,
    log,
    callLimits: { sendMs, smallMs: 5_000, probeMs: Math.min(sendMs, 1_000), attachmentMs: 5_000 },
  });
  const end = new AbortController();
  const running = sending.run(end.signal);
  const stop = async (): Promise<void> => {
    end.abort();
    await running;
    sending[Symbol.dispose]();
  };
  return {
    rest,
    outbox,
    sending,
    log,
    texts: () => rest.calls.filter(({ path }) => path === "/v2/send").map(({ body }) => String(body["message"])),
    untilDone: async (timeoutMs = 10_000) => void (await until(() => outbox.size === 0, timeoutMs, "all is sent")),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rest[Symbol.asyncDispose]();
    },
  };
}
