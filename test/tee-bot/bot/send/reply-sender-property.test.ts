import * as fc from "fast-check";
import { expect, it } from "vitest";
import { openSending } from "../../../../tee-bot/bot/send/open-sending.ts";
import type { Mailbox } from "../../../../tee-bot/bot/mail/mailbox.ts";
import { signalSettingsSchema } from "../../../../tee-bot/bot/settings.ts";
import { silentLog } from "../../../../shared/log.ts";
import { hastyClock } from "../../../support/hasty-clock.ts";
import { until } from "../../../support/postern.ts";
import { directChat, MemoryOutbox, replyOf } from "./support/memory-outbox.ts";
import { startScriptedRest, type ScriptedAnswer } from "./support/scripted-rest.ts";
import { sentAnswer, usualAnswer } from "./support/sending-world.ts";

/** What becomes of one call of `/v2/send`; `isDelivered`: the person sees the message, whatever is answered. */
interface Fate {
  readonly isDelivered: boolean;
  readonly answer: () => ScriptedAnswer;
}

const refusal = (status: number, body: object): Fate => ({ isDelivered: false, answer: () => ({ status, body }) });

const fates: Readonly<Record<string, Fate>> = {
  sent: { isDelivered: true, answer: sentAnswer },
  slow: { isDelivered: true, answer: () => ({ ...(sentAnswer() as object), afterMs: 20 }) as ScriptedAnswer },
  hangs: { isDelivered: false, answer: () => "hang" },
  "hangs after it went out": { isDelivered: true, answer: () => "hang" },
  breaks: { isDelivered: false, answer: () => "reset" },
  "breaks after it went out": { isDelivered: true, answer: () => "reset" },
  "proxy gives up after it went out": { isDelivered: true, answer: () => ({ status: 502 }) },
  limited: refusal(429, { error: "rate limiting", challenge_tokens: [""] }),
  challenged: refusal(429, { error: "rate limiting", challenge_tokens: ["token"] }),
  untrusted: refusal(400, { error: "Failed to send message due to untrusted identities" }),
  network: refusal(400, { error: "Failed to send message" }),
  refused: refusal(400, { error: "Specified account does not exist" }),
};

const chats = ["a", "b", "c"];

/** `crash`: the bot's process ends while this call is under way, and another one starts. */
const script = fc.array(fc.record({ fate: fc.constantFrom(...Object.keys(fates)), crash: fc.boolean() }), {
  maxLength: 8,
});
const texts = fc.array(fc.constantFrom(...chats), { minLength: 1, maxLength: 10 });

it("whatever fails when: each reply is seen once or is undecidable, and those of a chat are in order", async () => {
  await fc.assert(
    fc.asyncProperty(script, texts, async (steps, recipients) => {
      const left = [...steps];
      const seen: { person: string; number: number }[] = [];
      let crash = (): void => {};
      await using rest = await startScriptedRest(({ path, body, ...call }) => {
        if (path !== "/v2/send") return usualAnswer({ path, body, ...call });
        const step = left.shift() ?? { fate: "sent", crash: false };
        const fate = fates[step.fate]!;
        const [person = ""] = body["recipients"] as string[];
        if (fate.isDelivered) seen.push({ person, number: Number(body["message"]) });
        if (step.crash) crash();
        return fate.answer();
      });
      const clock = hastyClock(2_000);
      const outbox = new MemoryOutbox({ now: () => clock.now() });
      outbox.put(...recipients.map((person, index) => replyOf(directChat(person), String(index))));
      let running = startProcess(rest.url, outbox, clock);
      crash = () => {
        running.kill();
        outbox.crash();
        running = startProcess(rest.url, outbox, clock);
      };
      try {
        await until(() => outbox.size === 0, 30_000, "nothing waits");
      } finally {
        running.kill();
      }
      const undecidable = new Set(outbox.over.map(({ id }) => id - 1));
      expect(outbox.over.every(({ why }) => why === "undecidable")).toBe(true);
      for (const [number] of recipients.entries()) {
        const times = seen.filter((one) => one.number === number).length;
        if (undecidable.has(number)) expect(times).toBeLessThanOrEqual(1);
        else expect([number, times]).toEqual([number, 1]);
      }
      for (const chat of chats) {
        const numbers = seen.filter(({ person }) => person === chat).map(({ number }) => number);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 40, endOnFailure: true },
  );
}, 120_000);

/** A process of the bot. After `kill` it reaches its mailbox no more, as one that has ended does not. */
function startProcess(api: string, outbox: MemoryOutbox, clock: ReturnType<typeof hastyClock>): { kill: () => void } {
  const end = new AbortController();
  const alive = <T>(work: () => T): T => {
    if (end.signal.aborted) throw new Error("The process has ended.");
    return work();
  };
  const mailbox: Partial<Mailbox> = {
    onNews: (listener) => outbox.onNews(listener),
    replies: (atMost) => alive(() => outbox.replies(atMost)),
    plan: (replies) => alive(() => outbox.plan(replies)),
    sending: (reply) => alive(() => outbox.sending(reply)),
    sent: (reply, timestamp) => alive(() => outbox.sent(reply, timestamp)),
    unsent: (reply, options) => alive(() => outbox.unsent(reply, options)),
    giveUp: (reply, why, reason) => alive(() => outbox.giveUp(reply, why, reason)),
  };
  const sending = openSending({
    api,
    settings: signalSettingsSchema.parse({ limits: { sendsPerSecond: 1_000, sendBurst: 1_000 } }),
    mailbox: mailbox as Mailbox,
    clock,
    log: silentLog,
    callLimits: { sendMs: 100, smallMs: 100, probeMs: 300, attachmentMs: 100 },
  });
  void sending.run(end.signal);
  return { kill: () => end.abort() };
}
