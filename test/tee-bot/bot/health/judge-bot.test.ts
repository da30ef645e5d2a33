import { describe, expect, it } from "vitest";
import { decideVerdict, judgeBot, type BotFacts } from "../../../../tee-bot/bot/health/judge-bot.ts";

const now = 1_800_000_000_000;
const rest = { mode: "json-rpc", version: "0.100", trust: "on-first-use" };
const bot = {
  answered: 3,
  inHand: 0,
  isStoreAway: false,
  mailbox: { waiting: 0, inHand: 0, replies: 0, undecidable: 0, dead: 0 },
  sending: { counts: {}, troubles: [] },
  reactions: { up: 0, down: 0 },
};
const well: BotFacts = { rest, bot, isChallenged: false };
const judge = (change: Partial<BotFacts>) => {
  const findings = judgeBot({ ...well, ...change }, now);
  return [decideVerdict(findings), findings.map(({ detail }) => detail).join(" ")];
};

describe("the judgement of a bot", () => {
  it("finds nothing where all is well", () => {
    expect(judgeBot(well, now)).toEqual([]);
    expect(decideVerdict([])).toBe("well");
  });

  it.each<[string, Partial<BotFacts>, string, RegExp]>([
    ["a REST server that is away", { rest: { trouble: "It cannot be reached." } }, "down", /cannot be reached/],
    ["a server without an account", { rest: { ...rest, accounts: [] } }, "down", /no account/],
    ["a mode without a webhook", { rest: { ...rest, mode: "normal" } }, "attention", /MODE=normal/],
    ["keys that are always trusted", { rest: { ...rest, trust: "always" } }, "attention", /takes over a number/],
    ["keys that are never trusted", { rest: { ...rest, trust: "never" } }, "attention", /by hand/],
    ["a node that does not run", { bot: undefined, botTrouble: "No control file." }, "down", /No control file/],
    ["a challenge of Signal's", { isChallenged: true }, "attention", /captcha/],
    ["a store that is away", { bot: { ...bot, isStoreAway: true } }, "attention", /store of conversations/],
    [
      "mail that nobody works at",
      { bot: { ...bot, mailbox: { ...bot.mailbox, waiting: 1, oldestAt: now - 11 * 60_000 } } },
      "attention",
      /waited for 11 minutes/,
    ],
  ])("tells %s", (_, change, verdict, words) => {
    const [found, details] = judge(change);
    expect(found).toBe(verdict);
    expect(details).toMatch(words);
  });

  it("passes on what keeps replies from going out", () => {
    const trouble = { kind: "network", since: now, lastAt: now, count: 1, text: "signal-cli cannot reach Signal." };
    const [verdict, details] = judge({ bot: { ...bot, sending: { counts: {}, troubles: [trouble] } } });
    expect([verdict, details]).toEqual(["attention", "signal-cli cannot reach Signal."]);
  });

  it("mentions what was put aside, which is nothing that is wrong now", () => {
    const aside = { ...bot.mailbox, undecidable: 2, dead: 1 };
    const [verdict, details] = judge({ bot: { ...bot, mailbox: aside } });
    expect(verdict).toBe("well");
    expect(details).toBe("Put aside: 2 of unknown outcome, 1 given up.");
  });

  it("has no complaint of mail that is young", () => {
    const [verdict] = judge({ bot: { ...bot, mailbox: { ...bot.mailbox, waiting: 1, oldestAt: now - 60_000 } } });
    expect(verdict).toBe("well");
  });
});
