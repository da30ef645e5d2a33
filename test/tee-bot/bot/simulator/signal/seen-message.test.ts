import { describe, expect, it } from "vitest";
import {
  decideDelete,
  decideEdit,
  decideReaction,
  hasExpired,
  newestVersion,
  plainMessage,
  shownText,
  type SeenMessage,
} from "../../../../../tee-bot/bot/simulator/signal/seen-message.ts";

const message: SeenMessage = { ...plainMessage, conversation: "you", from: "bot", timestamp: 1_000, text: "first" };
const edit = { from: "bot", text: "second", styles: [], mentions: [], target: 1_000, timestamp: 2_000 };

describe("an edit", () => {
  it("has a new timestamp, by which the next one finds it", () => {
    const first = decideEdit(message, edit);
    expect(first).toMatchObject({ message: { text: "second", timestamp: 1_000, edits: [2_000] } });
    const edited = (first as { message: SeenMessage }).message;
    expect(newestVersion(edited)).toBe(2_000);
    expect(decideEdit(edited, { ...edit, timestamp: 3_000 })).toHaveProperty("refusal");
    expect(decideEdit(edited, { ...edit, target: 2_000, timestamp: 3_000 })).toHaveProperty("message");
  });

  it.each([
    ["of somebody else", {}, { from: "you" }],
    ["of a deleted message", { deleted: true }, {}],
    ["of a view-once message", { viewOnce: true }, {}],
    ["after a day", {}, { timestamp: 1_001 + 24 * 3_600_000 }],
    ["that is the eleventh", { edits: Array.from({ length: 10 }, (_, index) => 1_001 + index) }, { target: 1_010 }],
  ])("%s is refused", (_, fields, changes) => {
    expect(decideEdit({ ...message, ...fields }, { ...edit, ...changes })).toHaveProperty("refusal");
  });
});

describe("a message", () => {
  it("is deleted by who wrote it, and then has nothing in it", () => {
    const rich = { ...message, styles: ["0:1:BOLD"], reactions: [{ from: "you", emoji: "👍" }] };
    expect(decideDelete(rich, "bot")).toMatchObject({
      message: { text: "", styles: [], reactions: [], deleted: true },
    });
    expect(decideDelete(rich, "you")).toHaveProperty("refusal");
  });

  it("has one reaction of each person", () => {
    const react = (shown: SeenMessage, from: string, emoji: string, remove = false): SeenMessage =>
      (decideReaction(shown, { from, emoji }, remove) as { message: SeenMessage }).message;
    const both = react(react(react(message, "you", "👍"), "bob", "🎉"), "you", "👎");
    expect(both.reactions).toEqual([
      { from: "bob", emoji: "🎉" },
      { from: "you", emoji: "👎" },
    ]);
    expect(react(both, "bob", "🎉", true).reactions).toEqual([{ from: "you", emoji: "👎" }]);
    expect(decideReaction({ ...message, deleted: true }, { from: "you", emoji: "👍" }, false)).toHaveProperty(
      "refusal",
    );
  });

  it("disappears after its time, if it has one", () => {
    expect(hasExpired({ ...message, expiresInSeconds: 5 }, 5_999)).toBe(false);
    expect(hasExpired({ ...message, expiresInSeconds: 5 }, 6_000)).toBe(true);
    expect(hasExpired(message, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it("is cut at 64 KiB, between characters", () => {
    expect(shownText("short")).toBe("short");
    expect(Buffer.byteLength(shownText("é".repeat(40_000)))).toBe(64 * 1024);
    expect(shownText(`x${"é".repeat(40_000)}`)).toBe(`x${"é".repeat(32 * 1024 - 1)}`);
  });
});
