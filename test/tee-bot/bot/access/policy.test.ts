import { describe, expect, it } from "vitest";
import { isAddressed } from "../../../../tee-bot/bot/access/addressed.ts";
import { decideAllowed, type Policy } from "../../../../tee-bot/bot/access/policy.ts";
import type { Chat } from "../../../../tee-bot/bot/events/event.ts";
import { signalSettingsSchema } from "../../../../tee-bot/bot/settings.ts";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { alice, bob, team } from "../support/events.ts";

const aliceAlone: Chat = { kind: "direct", person: alice };
const bobAlone: Chat = { kind: "direct", person: bob };
const inGroup: Chat = { kind: "group", group: team };
const otherGroup: Chat = { kind: "group", group: `${"B".repeat(43)}=` };
const policy = (settings: unknown): Policy => signalSettingsSchema.parse(settings);
const isAllowed = (chat: Chat, settings: unknown, isPaired = false): boolean =>
  decideAllowed(chat, { isPaired }, policy(settings));

describe("the policy", () => {
  it("lets in everybody unless it is told otherwise", () => {
    expect(isAllowed(aliceAlone, {})).toBe(true);
    expect(isAllowed(inGroup, {})).toBe(true);
  });

  it("of an allow-list lets in those on it, and operators alone with the bot", () => {
    const people = { policy: "allow-list", allowed: [alice.toUpperCase()] };
    expect(isAllowed(aliceAlone, { people })).toBe(true);
    expect(isAllowed(bobAlone, { people })).toBe(false);
    expect(isAllowed(bobAlone, { people, operators: [bob] })).toBe(true);
    expect(isAllowed(bobAlone, { people }, true)).toBe(false);
  });

  it("of groups takes their id in both forms", () => {
    const restId = `group.${Buffer.from(team).toString("base64")}`;
    for (const id of [team, restId]) {
      const groups = { policy: "allow-list", allowed: [id] };
      expect(isAllowed(inGroup, { groups })).toBe(true);
      expect(isAllowed(otherGroup, { groups })).toBe(false);
    }
  });

  it("of people says nothing of groups, nor that of groups of people", () => {
    const open = { policy: "open" };
    const closed = { policy: "allow-list" };
    expect(isAllowed(inGroup, { people: open, groups: closed, operators: [alice] })).toBe(false);
    expect(isAllowed(aliceAlone, { people: closed, groups: open })).toBe(false);
    const pairing = { people: { policy: "pairing" }, groups: closed };
    expect(isAllowed(aliceAlone, pairing, true)).toBe(true);
    expect(isAllowed(inGroup, pairing, true)).toBe(false);
  });

  it("of groups can be off, whatever else is said of them", () => {
    const groups = { policy: "off", allowed: [team] };
    expect(isAllowed(inGroup, { groups }, true)).toBe(false);
  });
});

describe("a message in a group", () => {
  const plain = { chat: inGroup, isMention: false, quote: undefined };
  const quoteOf = (isOfBot: boolean) => ({ timestamp: 1, author: bob, isOfBot, text: new Sensitive("") });

  it("is for the bot when it mentions it, answers to it, or is a command", () => {
    expect(isAddressed(plain, false, "addressed")).toBe(false);
    expect(isAddressed({ ...plain, isMention: true }, false, "addressed")).toBe(true);
    expect(isAddressed({ ...plain, quote: quoteOf(true) }, false, "addressed")).toBe(true);
    expect(isAddressed(plain, true, "addressed")).toBe(true);
  });

  it("that answers to somebody else is not", () => {
    expect(isAddressed({ ...plain, quote: quoteOf(false) }, false, "addressed")).toBe(false);
  });

  it("is always for it where it is to answer to all, as every direct message is", () => {
    expect(isAddressed(plain, false, "all")).toBe(true);
    expect(isAddressed({ ...plain, chat: aliceAlone }, false, "addressed")).toBe(true);
  });
});
