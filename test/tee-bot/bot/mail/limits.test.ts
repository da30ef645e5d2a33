import { describe, expect, it } from "vitest";
import {
  decideFate,
  decideMemoryMs,
  decideRoom,
  decideStaleAt,
  maxMails,
  maxMailsOfChat,
  maxUsedBytes,
} from "../../../../tee-bot/bot/mail/limits.ts";

const hourMs = 60 * 60 * 1000;

describe("the room of a mailbox", () => {
  const empty = { mails: 0, ofChat: 0, bytes: 0 };

  it.each([
    ["nothing", empty, undefined],
    ["one less than the most", { mails: maxMails - 1, ofChat: maxMailsOfChat - 1, bytes: maxUsedBytes - 1 }, undefined],
    ["the most mails", { ...empty, mails: maxMails }, "overloaded"],
    ["the most bytes", { ...empty, bytes: maxUsedBytes }, "overloaded"],
    ["the most of the chat", { ...empty, ofChat: maxMailsOfChat }, "too-many-requests"],
  ])("with %s in it", (_, used, code) => expect(decideRoom(used)?.code).toBe(code));
});

describe("an event", () => {
  it("is known for two days at least, and for as long as it may wait", () => {
    expect(decideMemoryMs(hourMs)).toBe(48 * hourMs);
    expect(decideMemoryMs(72 * hourMs)).toBe(72 * hourMs);
  });

  it("is too old by its own time, unless its clock is ahead of ours", () => {
    expect(decideStaleAt(1_000, 5_000, 100)).toBe(1_100);
    expect(decideStaleAt(9_000, 5_000, 100)).toBe(5_100);
  });
});

describe("a mail that was tried in vain", () => {
  it.each([
    [{ attempts: 2, maxAttempts: 3, dueAt: 10, staleAt: 11 }, "waiting"],
    [{ attempts: 3, maxAttempts: 3, dueAt: 10, staleAt: 11 }, "attempts"],
    [{ attempts: 2, maxAttempts: 3, dueAt: 11, staleAt: 11 }, "age"],
  ])("%o is %s", (mail, fate) => expect(decideFate(mail)).toBe(fate));
});
