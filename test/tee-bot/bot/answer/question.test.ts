import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { askedText, cutBytes, keptText, modelMessages } from "../../../../tee-bot/bot/answer/question.ts";
import { cutText } from "../../../../tee-bot/bot/answer/replies.ts";

describe("a text that is cut", () => {
  it("is its own beginning, no longer than allowed, in whole characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat({ max: 40 }), (text, most) => {
        const bytes = cutBytes(text, most);
        expect(text.startsWith(bytes) && Buffer.byteLength(bytes) <= most).toBe(true);
        expect(Buffer.byteLength(text) <= most ? bytes : most - Buffer.byteLength(bytes) < 4).toBe(
          Buffer.byteLength(text) <= most ? text : true,
        );
        const units = cutText(text, most);
        expect(text.startsWith(units) && units.length <= most && units.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe("a question", () => {
  const ofBot = { timestamp: 1, author: "bot", isOfBot: true };

  it("is asked with what it answers to, cut where that is long", () => {
    const quote = { ...ofBot, text: new Sensitive("x".repeat(10_000)) };
    const asked = askedText({ text: "why?", images: [] }, quote);
    expect(asked).toMatch(/^In reply to your message:\n> x{4000}\n\nwhy\?$/);
    expect(askedText({ text: "why?", images: [] }, { ...ofBot, text: new Sensitive(" ") })).toBe("why?");
  });

  it("of pictures alone still asks something, and is kept as marks", () => {
    const question = { text: "", images: ["data:1", "data:2"] };
    expect(askedText(question, undefined)).toBe("What do you see?");
    expect(keptText(question)).toBe("[image] [image]");
    expect(modelMessages([{ role: "user", content: "What do you see?" }], question.images)).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "What do you see?" },
          { type: "image_url", image_url: { url: "data:1" } },
          { type: "image_url", image_url: { url: "data:2" } },
        ],
      },
    ]);
  });
});
