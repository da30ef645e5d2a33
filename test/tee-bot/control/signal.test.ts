import { describe, expect, it } from "vitest";
import { Sensitive } from "../../../shared/sensitive.ts";
import { PairingCodes } from "../../../tee-bot/bot/access/pairing-codes.ts";
import type { BotState } from "../../../tee-bot/bot/bot-state.ts";
import { signalSettingsSchema } from "../../../tee-bot/bot/settings.ts";
import { createControlApp } from "../../../tee-bot/control/control.ts";
import { letterListSchema, pairingCodeSchema, signalReportSchema } from "../../../tee-bot/control/signal-messages.ts";
import type { SignalControl } from "../../../tee-bot/control/signal.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { nodeStatus } from "../support/node-status.ts";
import { openTestLedger } from "../support/ledger.ts";

const clock = new ManualClock(1_000);
const state: BotState = {
  account: "+15550000001",
  answered: 1,
  inHand: 0,
  isStoreAway: false,
  mailbox: { waiting: 0, inHand: 0, replies: 0, undecidable: 1, dead: 0, oldestAt: undefined },
  sending: { counts: { sent: 1 }, pause: { why: "rate-limited", until: 5_000 }, troubles: [] },
  reactions: { up: 0, down: 0 },
};

async function ask(bot: Partial<SignalControl> | undefined, method: string, path: string): Promise<Response> {
  using ledger = openTestLedger();
  const app = createControlApp({
    token: "secret",
    status: nodeStatus,
    expose: () => {},
    renew: () => {},
    ledger,
    tee: { tee: "none", reason: "No guest agent." },
    signal: () => bot as SignalControl | undefined,
    clock,
  });
  return app.request(path, { method, headers: { authorization: "Bearer secret" } });
}

describe("the control API of the Signal bot", () => {
  it("tells how the bot is, with the challenge that an operator needs", async () => {
    const bot = { state: () => state, challenge: () => new Sensitive("token-of-signal") };
    const answer = await ask(bot, "GET", "/v1/signal");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const report = signalReportSchema.parse(await answer.json());
    expect(report.challenge).toBe("token-of-signal");
    expect(report.state).toMatchObject({ account: "+15550000001", mailbox: { undecidable: 1 } });
  });

  it("tells what the bot was started with", async () => {
    const settings = signalSettingsSchema.parse({ api: "http://127.0.0.1:8080" });
    const answer = await ask({ settings }, "GET", "/v1/signal/settings");
    expect(signalSettingsSchema.parse(await answer.json())).toEqual(settings);
  });

  it("makes a pairing code that the bot takes", async () => {
    const codes = new PairingCodes({ clock, isWanted: true });
    const answer = await ask({ pair: () => codes.make() }, "POST", "/v1/signal/pairing");
    expect(answer.status).toBe(201);
    const { code, expiresAt } = pairingCodeSchema.parse(await answer.json());
    expect(expiresAt).toBe(1_000 + 3_600_000);
    expect(codes.redeem(code.replace("-", ""))).toBeDefined();
  });

  it("lists what was put aside and what nobody knows of", async () => {
    const letter = { id: 1, what: "reply", why: "undecidable", at: 5, reason: "timeout" } as const;
    const asked: number[] = [];
    const bot = { deadLetters: (atMost: number) => (asked.push(atMost), [letter]) };
    const { letters } = letterListSchema.parse(await (await ask(bot, "GET", "/v1/signal/letters")).json());
    expect(letters).toEqual([letter]);
    expect(asked).toEqual([200]);
  });

  it("has replies tried again, and tells how the bot is then", async () => {
    let retried = 0;
    const bot = { state: () => state, challenge: () => undefined, retry: () => void retried++ };
    const answer = await ask(bot, "POST", "/v1/signal/retry");
    expect(signalReportSchema.parse(await answer.json()).challenge).toBeUndefined();
    expect(retried).toBe(1);
  });

  it("says what is missing where there is no bot", async () => {
    const answer = await ask(undefined, "GET", "/v1/signal");
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("signal.api") });
  });
});
