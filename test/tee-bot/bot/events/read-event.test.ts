import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseNotification } from "../../../../tee-bot/bot/events/envelope.ts";
import type { BotEvent } from "../../../../tee-bot/bot/events/event.ts";
import { readEvent, type Ignored } from "../../../../tee-bot/bot/events/read-event.ts";
import { account, alice, bob, team } from "../support/events.ts";
import { revealed } from "../support/revealed.ts";

const bot = "bbbbbbbb-0000-4000-8000-000000000001";
const sentAt = 1_767_225_600_000;
const answeredAt = sentAt - 1_000;
const toTeam = { groupInfo: { groupId: team, groupName: "Team", revision: 7, type: "DELIVER" } };

/** As signal-cli writes it: what it does not know is null. */
function envelopeOf(content: object): object {
  const from = { source: "+15550000002", sourceNumber: "+15550000002", sourceUuid: alice, sourceName: "Alice" };
  return { envelope: { ...from, sourceDevice: 1, timestamp: sentAt, ...content }, account };
}

function paramsOf(data: object, content: object = {}): object {
  const usual = { timestamp: sentAt, message: null, expiresInSeconds: 0, isExpirationUpdate: false, viewOnce: false };
  return envelopeOf({ dataMessage: { ...usual, ...data }, ...content });
}

const eventOf = (params: unknown, ownUuid?: string): BotEvent | Ignored => readEvent(params, ownUuid).event;
const shown = (params: unknown, ownUuid?: string): unknown => revealed(eventOf(params, ownUuid));

describe("an envelope", () => {
  it("with a text is a message of a person, by uuid, in a direct chat", () => {
    expect(shown(paramsOf({ message: "hello" }))).toEqual({
      kind: "message",
      account,
      person: alice,
      name: { revealed: "Alice" },
      number: { revealed: "+15550000002" },
      timestamp: sentAt,
      chat: { kind: "direct", person: alice },
      text: { revealed: "hello" },
      attachments: [],
      isViewOnce: false,
      expiresInSeconds: undefined,
      isMention: false,
      quote: undefined,
    });
  });

  it("of somebody whose number is hidden is the same chat", () => {
    const hidden = paramsOf({ message: "hi" }, { source: alice.toUpperCase(), sourceNumber: null, sourceUuid: null });
    expect(eventOf(hidden)).toMatchObject({ kind: "message", person: alice, number: undefined });
  });

  it("of a group is answered there", () => {
    expect(eventOf(paramsOf({ message: "hi", ...toTeam }))).toMatchObject({ chat: { kind: "group", group: team } });
  });

  it("keeps a space at the beginning, which says that it is no command", () => {
    expect(shown(paramsOf({ message: " !help" }))).toMatchObject({ text: { revealed: " !help" } });
  });

  it.each([
    ["\uFFFC summarise please", 0, "summarise please"],
    ["\uFFFC !help", 0, "!help"],
    ["🙂 hey \uFFFC what", 7, "🙂 hey what"],
    ["thanks \uFFFC", 7, "thanks "],
  ])("that mentions the bot says so, without the mark: %j", (message, start, text) => {
    const mentions = [{ name: "Bot", number: account, uuid: bot, start, length: 1 }];
    const event = shown(paramsOf({ message, mentions, ...toTeam }));
    expect(event).toMatchObject({ isMention: true, text: { revealed: text } });
  });

  it("that mentions others says nothing of who they are", () => {
    const mentions = [
      { name: "Bob", number: "+15550000003", uuid: bob, start: 4, length: 1 },
      { name: account, number: null, uuid: bot, start: 10, length: 1 },
    ];
    const params = paramsOf({ message: "ask \uFFFC and \uFFFC \uFFFCtoo", mentions });
    expect(shown(params)).toMatchObject({ isMention: false, text: { revealed: "ask @someone and @someone too" } });
    expect(JSON.stringify(shown(params, bot))).not.toMatch(/Bob|0003|cccc/);
    expect(shown(params, bot)).toMatchObject({ isMention: true, text: { revealed: "ask @someone and too" } });
  });

  it("that quotes the bot says so, also where its number is hidden once its uuid is known", () => {
    const quote = { id: answeredAt, author: account, authorNumber: account, authorUuid: bot, text: "42" };
    expect(shown(paramsOf({ message: "why?", quote }))).toMatchObject({
      quote: { timestamp: answeredAt, author: bot, isOfBot: true, text: { revealed: "42" } },
    });
    const hidden = { ...quote, author: bot, authorNumber: null };
    expect(eventOf(paramsOf({ message: "why?", quote: hidden }))).toMatchObject({ quote: { isOfBot: false } });
    expect(eventOf(paramsOf({ message: "why?", quote: hidden }), bot)).toMatchObject({ quote: { isOfBot: true } });
    const ofBob = { ...quote, author: bob, authorNumber: null, authorUuid: bob };
    expect(eventOf(paramsOf({ message: "!", quote: ofBob }))).toMatchObject({ quote: { author: bob, isOfBot: false } });
    const unknown = { ...quote, author: "+15550000009", authorNumber: "+15550000009", authorUuid: null };
    expect(eventOf(paramsOf({ message: "why?", quote: unknown }))).toMatchObject({ quote: undefined });
  });

  it("with a mention and a quote only asks about what is quoted", () => {
    const quote = { id: 5, author: bob, authorUuid: bob, text: "a long text" };
    const mentions = [{ number: account, uuid: bot, start: 0, length: 1 }];
    const ask = paramsOf({ message: "\uFFFC", mentions, quote, ...toTeam });
    expect(shown(ask)).toMatchObject({ kind: "message", text: { revealed: "" }, isMention: true });
    expect(eventOf(paramsOf({ message: "\uFFFC", mentions }))).toMatchObject({ reason: "empty" });
  });

  it("with files has those that can be had, without the body of a long text", () => {
    const attachments = [
      { id: "a.jpg", contentType: "image/jpeg", filename: "cat.jpg", size: 7 },
      { id: "long.txt", contentType: "text/x-signal-plain", filename: null, size: 5_000 },
      { id: null, contentType: "image/png", filename: null, size: 3 },
      { id: "v.aac", contentType: null, filename: null, size: null },
    ];
    expect(shown(paramsOf({ message: null, attachments, viewOnce: true, expiresInSeconds: 300 }))).toMatchObject({
      text: { revealed: "" },
      isViewOnce: true,
      expiresInSeconds: 300,
      attachments: [
        { id: "a.jpg", contentType: "image/jpeg", name: { revealed: "cat.jpg" }, size: 7 },
        { id: "v.aac", contentType: "application/octet-stream", name: undefined, size: 0 },
      ],
    });
  });

  it("is an edit, a deletion, a reaction to the bot or a receipt", () => {
    const reaction = { emoji: "👍", targetAuthor: account, targetSentTimestamp: answeredAt, isRemove: true };
    const dataMessage = { timestamp: sentAt, message: "edited" };
    const edit = envelopeOf({ editMessage: { targetSentTimestamp: 5, dataMessage } });
    expect(shown(edit)).toMatchObject({ kind: "edit", target: 5, text: { revealed: "edited" }, timestamp: sentAt });
    expect(eventOf(paramsOf({ remoteDelete: { timestamp: 5 } }))).toMatchObject({ kind: "deletion", target: 5 });
    expect(eventOf(paramsOf({ reaction }))).toMatchObject({
      kind: "reaction",
      emoji: "👍",
      isRemoved: true,
      target: answeredAt,
    });
    for (const receipt of ["delivery", "read", "viewed"]) {
      const flags = { isDelivery: receipt === "delivery", isRead: receipt === "read", isViewed: receipt === "viewed" };
      const params = envelopeOf({ receiptMessage: { when: sentAt, ...flags, timestamps: [answeredAt] } });
      expect(eventOf(params)).toMatchObject({ kind: "receipt", receipt, targets: [answeredAt] });
    }
  });

  it.each([
    ["typing", envelopeOf({ typingMessage: { action: "STARTED", timestamp: sentAt } })],
    ["sync", envelopeOf({ syncMessage: {} })],
    ["sync", envelopeOf({ syncMessage: { sentMessage: { message: "from another device" } } })],
    ["story", envelopeOf({ storyMessage: { allowsReplies: true } })],
    ["story", paramsOf({ message: "nice", storyContext: { sentTimestamp: 5 } })],
    ["call", envelopeOf({ callMessage: { offerMessage: { id: 1 } } })],
    ["timer", paramsOf({ isExpirationUpdate: true, expiresInSeconds: 60 })],
    ["group-update", paramsOf({ groupInfo: { ...toTeam.groupInfo, type: "UPDATE" } })],
    ["sticker", paramsOf({ sticker: { packId: "9a", stickerId: 3 } })],
    ["reaction", paramsOf({ reaction: { emoji: "👍", targetAuthorUuid: bob, targetSentTimestamp: 5 } })],
    ["empty", paramsOf({})],
    ["empty", paramsOf({ message: " \n" })],
    ["empty", envelopeOf({ someNewMessage: { text: "hello" } })],
    ["own", paramsOf({ message: "echo" }, { source: account, sourceNumber: account, sourceUuid: bot })],
    ["unidentified", paramsOf({ message: "hi" }, { sourceUuid: null })],
    ["unidentified", paramsOf({ message: "hi" }, { sourceUuid: `PNI:${alice}` })],
    ["exception", { ...envelopeOf({}), exception: { type: "UntrustedIdentityException", message: "x" } }],
    ["exception", { account, exception: { type: "ProtocolException", message: "x" } }],
    ["malformed", { error: "no such account" }],
    ["malformed", paramsOf({ message: 7 })],
    ["malformed", paramsOf({ message: "hi", timestamp: "1767225600000" })],
    ["malformed", { ...paramsOf({ message: "hi" }), account: null }],
    ["malformed", paramsOf({ message: "x".repeat(512 * 1024 + 1) })],
  ])("is ignored as %s: %j", (reason, params) => {
    expect(eventOf(params)).toEqual({ kind: "ignored", reason });
  });

  it("is ignored as the bot's own where only its uuid is there, once that is known", () => {
    const echo = paramsOf({ message: "echo" }, { source: bot, sourceNumber: null, sourceUuid: bot });
    expect(eventOf(echo, bot)).toEqual({ kind: "ignored", reason: "own" });
  });

  it("tells the bot's uuid where it names it beside its number", () => {
    const mention = { number: account, uuid: bot, start: 0, length: 1 };
    expect(readEvent(paramsOf({ message: "hi" })).ownUuid).toBeUndefined();
    expect(readEvent(paramsOf({ message: "\uFFFC", mentions: [mention] })).ownUuid).toBe(bot);
    const quote = { id: 5, authorNumber: account, authorUuid: bot, text: "" };
    expect(readEvent(paramsOf({ message: "x", quote })).ownUuid).toBe(bot);
    const own = { sourceNumber: account, sourceUuid: bot, syncMessage: {} };
    expect(readEvent(envelopeOf(own)).ownUuid).toBe(bot);
  });

  it("may stand in the result of a subscription", () => {
    expect(shown({ subscription: 0, result: paramsOf({ message: "hi" }) })).toMatchObject({ text: { revealed: "hi" } });
  });
});

describe("whatever JSON comes", () => {
  it("is read or ignored, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (params) => {
        expect(["message", "ignored"]).toContain(eventOf(params).kind);
        parseNotification(params);
      }),
      { numRuns: 500 },
    );
  });

  it("does no harm in place of any part of an envelope", () => {
    const whole = paramsOf({
      message: "\uFFFC hi",
      mentions: [{ number: account, uuid: bot, start: 0, length: 1 }],
      quote: { id: 5, author: bob, authorNumber: null, authorUuid: bob, text: "x" },
      attachments: [{ id: "a", contentType: "image/png", filename: null, size: 1 }],
      ...toTeam,
    });
    const kinds = new Set<string>();
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(whole)), fc.jsonValue(), (path, value) => {
        kinds.add(eventOf(replaced(whole, path, value)).kind);
      }),
      { numRuns: 2_000 },
    );
    expect(kinds).toContain("message");
    expect(kinds).toContain("ignored");
  });
});

/** What each of the published envelopes is to the bot. */
const reactions: Record<string, object> = {
  "dm-command": { kind: "message", text: { revealed: "!verify 4f1c" } },
  "dm-disappearing": { kind: "message", expiresInSeconds: 300 },
  "dm-edit": { kind: "edit", target: sentAt, text: { revealed: "hello bot (edited)" } },
  "dm-empty-profile-key-update": { kind: "ignored", reason: "empty" },
  "dm-expiration-update": { kind: "ignored", reason: "timer" },
  "dm-image": { kind: "message", attachments: [expect.objectContaining({ contentType: "image/jpeg", size: 48_213 })] },
  "dm-long-text": { kind: "message", attachments: [] },
  "dm-quote-of-bot": { kind: "message", quote: expect.objectContaining({ isOfBot: true }) as unknown },
  "dm-reaction": { kind: "reaction", emoji: "👍", target: answeredAt },
  "dm-remote-delete": { kind: "deletion", target: sentAt },
  "dm-sticker": { kind: "ignored", reason: "sticker" },
  "dm-styled": { kind: "message", text: { revealed: "a bold word" } },
  "dm-text-number-hidden": { kind: "message", person: alice, number: undefined },
  "dm-text": { kind: "message", person: alice, text: { revealed: "hello bot" } },
  "dm-view-once-image": { kind: "message", isViewOnce: true },
  "dm-voice-note": { kind: "message", attachments: [expect.objectContaining({ contentType: "audio/aac" })] },
  "exception-untrusted": { kind: "ignored", reason: "exception" },
  "group-mention-bot": { kind: "message", isMention: true, text: { revealed: "summarise please" } },
  "group-text": { kind: "message", isMention: false, chat: { kind: "group", group: team } },
  "group-typing": { kind: "ignored", reason: "typing" },
  "group-update": { kind: "ignored", reason: "group-update" },
  "receipt-delivery": { kind: "receipt", receipt: "delivery", targets: [answeredAt] },
  "receipt-read": { kind: "receipt", receipt: "read", targets: [answeredAt] },
  story: { kind: "ignored", reason: "story" },
  "subscription-wrapped": { kind: "message", text: { revealed: "only with --receive-mode=manual" } },
  "sync-empty": { kind: "ignored", reason: "sync" },
  "sync-note-to-self": { kind: "ignored", reason: "sync" },
  "sync-read": { kind: "ignored", reason: "sync" },
  "sync-sent": { kind: "ignored", reason: "sync" },
  typing: { kind: "ignored", reason: "typing" },
};

/** They are not part of this repository: beside it, or beside the folder of its worktrees. */
const places = ["../shared/fixtures/signal", "../../shared/fixtures/signal"];
const root = join(import.meta.dirname, "../../../..");
const fixtures = places.map((place) => join(root, place, "envelopes")).find((path) => existsSync(path));

describe.skipIf(!fixtures)("the published envelopes (skipped without ../shared/fixtures/signal)", () => {
  const files = fixtures === undefined ? [] : globSync(join(fixtures, "*.json"));

  it("are those that are listed here", () => {
    const names = files.map((file) => basename(file, ".json"));
    expect(names.toSorted()).toEqual(Object.keys(reactions).toSorted());
  });

  it.each(files.map((file) => [basename(file, ".json"), file]))("%s gives what is listed", (name, file) => {
    const params = parseNotification(JSON.parse(readFileSync(file, "utf8")));
    expect(shown(params)).toMatchObject(reactions[name]!);
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, held]) => pathsOf(held, [...path, key]))];
}

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[first] = replaced(copy[first], rest, by);
  return copy;
}
