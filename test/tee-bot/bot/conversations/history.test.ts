import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  appendExchange,
  appendMessage,
  appendQuestion,
  deleteExchange,
  deleteMessage,
  editMessage,
  emptyHistory,
  forgetPerson,
  keepNewest,
  maxHistoryBytes,
  trimHistory,
  usualHistoryLimits,
  type History,
  type NewMessage,
} from "../../../../tee-bot/bot/conversations/history.ts";

const now = 1_000_000;
const limits = { maxMessages: 4, ttlMs: 10_000 };
const said = (timestamp: number, more: Partial<NewMessage> = {}): NewMessage => ({
  role: "user",
  person: "ada",
  content: `message ${timestamp}`,
  timestamp,
  ...more,
});
const historyOf = (...messages: NewMessage[]): History =>
  messages.reduce((history, one) => appendMessage(history, one, limits, now), emptyHistory);
const contents = ({ messages }: History): string[] => messages.map(({ content }) => content);

describe("a history", () => {
  it("has 50 messages and 24 hours by default", () => {
    expect(usualHistoryLimits).toEqual({ maxMessages: 50, ttlMs: 86_400_000 });
  });

  it("loses its oldest messages when there are too many", () => {
    const history = historyOf(...[1, 2, 3, 4, 5, 6].map((n) => said(n)));
    expect(contents(history)).toEqual(["message 3", "message 4", "message 5", "message 6"]);
  });

  it("has a question and its answer once, however often they are kept, and the newest answer of it", () => {
    const first = appendExchange(historyOf(said(1)), said(2), "an answer", limits, now);
    const again = appendExchange(first, said(2), "a better answer", limits, now);
    expect(contents(again)).toEqual(["message 1", "message 2", "a better answer"]);
    expect(again.messages.map(({ role }) => role)).toEqual(["user", "user", "assistant"]);
  });

  it("ends with the question when a model is asked again, without the earlier answer to it", () => {
    const kept = appendExchange(historyOf(said(1)), said(2), "an answer", limits, now);
    expect(contents(appendQuestion(kept, said(2), limits, now))).toEqual(["message 1", "message 2"]);
  });

  it("loses the answer with its question, also when the question was edited and is named by its last edit", () => {
    const kept = appendExchange(historyOf(said(1)), said(2), "an answer", limits, now);
    const edited = editMessage(kept, said(2), { content: "changed", editedAt: 7 });
    expect(contents(deleteExchange(edited, { person: "ada", timestamp: 7 }))).toEqual(["message 1"]);
    expect(deleteExchange(edited, { person: "bob", timestamp: 2 })).toBe(edited);
  });

  it("loses its oldest messages when they are too much, whatever their sizes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: maxHistoryBytes / 8 }), { maxLength: 40 }), (sizes) => {
        let history: History = emptyHistory;
        for (const [n, size] of sizes.entries())
          history = appendMessage(history, said(n, { content: "x".repeat(size) }), usualHistoryLimits, now);
        const kept = history.messages.map(({ content }) => content.length);
        expect(kept.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(maxHistoryBytes);
        expect(kept).toEqual(sizes.slice(sizes.length - kept.length));
      }),
      { numRuns: 50 },
    );
  });

  it("loses each message after its own time: the shorter of TTL and timer", () => {
    const history = historyOf(said(1), said(2, { expiresInSeconds: 5 }), said(3, { expiresInSeconds: 3_600 }));
    expect(contents(trimHistory(history, limits, now + 4_999))).toHaveLength(3);
    expect(contents(trimHistory(history, limits, now + 5_000))).toEqual(["message 1", "message 3"]);
    expect(contents(trimHistory(history, limits, now + 10_000))).toEqual([]);
  });

  it("obeys a TTL that was shortened since it was stored", () => {
    const history = trimHistory(historyOf(said(1)), { ...limits, ttlMs: 100 }, now);
    expect(trimHistory(history, limits, now + 100).messages).toEqual([]);
  });

  it("is the same value where nothing changes, so that nothing is written", () => {
    const history = historyOf(said(1));
    expect(trimHistory(history, limits, now)).toBe(history);
    expect(keepNewest(history, 1)).toBe(history);
    expect(appendMessage(history, said(1), limits, now)).toBe(history);
    expect(appendMessage(history, said(2, { isViewOnce: true }), limits, now)).toBe(history);
    expect(forgetPerson(history, "bob")).toBe(history);
    expect(deleteMessage(history, said(9))).toBe(history);
    expect(editMessage(history, said(9), { content: "x", editedAt: 10 })).toBe(history);
  });

  it("tells messages apart by who sent them: one's name for a message is none for another's", () => {
    const history = historyOf(said(1), said(1, { person: "bob", content: "bob's" }), said(1, { role: "assistant" }));
    expect(contents(history)).toHaveLength(3);
    expect(deleteMessage(history, { role: "user", person: "eve", timestamp: 1 })).toBe(history);
    expect(contents(deleteMessage(history, said(1, { person: "bob" })))).toEqual(["message 1", "message 1"]);
  });

  it("has an edit in its place, found again by the time of either, and not for longer", () => {
    const edited = editMessage(historyOf(said(1), said(2)), said(1), { content: "better", editedAt: 5 });
    expect(contents(edited)).toEqual(["better", "message 2"]);
    const again = editMessage(edited, said(5), { content: "best", editedAt: 6 });
    expect(contents(editMessage(again, said(1), { content: "final", editedAt: 7 }))).toEqual(["final", "message 2"]);
    expect(editMessage(again, said(1), { content: "better", editedAt: 5 })).toBe(again);
    expect(contents(deleteMessage(again, said(6)))).toEqual(["message 2"]);
    expect(trimHistory(again, limits, now + 10_000).messages).toEqual([]);
  });

  it("takes ten edits of a message, as Signal does", () => {
    let history = historyOf(said(1));
    for (let n = 1; n <= 11; n++) history = editMessage(history, said(1), { content: `edit ${n}`, editedAt: 1 + n });
    expect(contents(history)).toEqual(["edit 10"]);
  });

  it("forgets what a person said and was answered", () => {
    const history = historyOf(said(1), said(2, { role: "assistant" }), said(3, { person: "bob" }));
    expect(contents(forgetPerson(history, "ada"))).toEqual(["message 3"]);
  });

  it("numbers people in the order they came, the same as long as anything of theirs is there", () => {
    const history = historyOf(said(1), said(2, { person: "bob" }), said(3), said(4, { person: "cy" }));
    expect(history.messages.map(({ member }) => member)).toEqual([1, 2, 1, 3]);
    const later = appendMessage(history, said(5, { person: "bob" }), limits, now);
    expect(later.messages.map(({ member }) => member)).toEqual([2, 1, 3, 2]);
  });
});
