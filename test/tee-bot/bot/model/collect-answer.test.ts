import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerCollector, maxAnswerUnits, withoutThoughts } from "../../../../tee-bot/bot/model/collect-answer.ts";
import { dataEvent, doneEvent } from "../../../support/upstream/content.ts";

const chunk = (content: string, finish: string | null = null): string =>
  dataEvent({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] });

function collect(stream: string, sizes: readonly number[] = []): AnswerCollector {
  const collected = new AnswerCollector();
  const bytes = Buffer.from(stream);
  let from = 0;
  for (const size of sizes) {
    collected.add(bytes.subarray(from, from + size));
    from += size;
  }
  collected.add(bytes.subarray(from));
  return collected;
}

describe("a streamed answer", () => {
  it("is the same wherever its pieces are cut", () => {
    const words = ["Zwölf ", "Boxkämpfer 🥊", " jagen", "\n\ndata: Viktor"];
    const stream = words.map((word) => chunk(word)).join("") + doneEvent;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 })), (sizes) => {
        const { text, trouble } = collect(stream, sizes);
        expect({ text, trouble }).toEqual({ text: words.join(""), trouble: undefined });
      }),
    );
  });

  it("that ends without saying so is not taken for a whole one", () => {
    expect(collect(chunk("half")).trouble).toBe("outage");
    expect(collect(chunk("all", "stop")).trouble).toBeUndefined();
  });

  it("that its limit of tokens has cut is known as cut", () => {
    expect(collect(chunk("so", "length") + doneEvent)).toMatchObject({ text: "so", isCut: true, trouble: undefined });
  });

  it("that says nothing is none", () => {
    expect(collect(chunk("", "stop") + doneEvent).trouble).toBe("refused");
    expect(collect(chunk("<think>hm", "length")).trouble).toBe("timeout");
  });

  it("with something that is no event of a chat is not used", () => {
    for (const odd of [
      "data: {half\n\n",
      dataEvent(7),
      dataEvent({ choices: "none" }),
      dataEvent({ error: { code: 5 } }),
    ])
      expect(collect(chunk("fine") + odd + doneEvent).trouble).toBe("outage");
  });

  it("that does not end is cut", () => {
    const collected = collect(chunk("x".repeat(maxAnswerUnits)) + chunk("y"));
    expect(collected).toMatchObject({ isSettled: true, isCut: true, trouble: undefined });
    expect(collected.text).toHaveLength(maxAnswerUnits);
  });

  it("with an event that does not end is given up", () => {
    const collected = collect(`data: ${"x".repeat(2 * 1024 * 1024)}`);
    expect(collected).toMatchObject({ isSettled: true, trouble: "outage" });
  });
});

describe("what a model thinks aloud", () => {
  it.each([
    ["<think>first this</think>\n\nThen that.", "Then that."],
    ["  <thinking>x</thinking>y", "y"],
    ["<think>not yet done", ""],
    ["To <think> is to be.", "To <think> is to be."],
    ["plain", "plain"],
  ])("is left out: %j", (text, answer) => expect(withoutThoughts(text)).toBe(answer));
});
