import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseStyledText } from "../../../../tee-bot/bot/simulator/styled-text.ts";

// Observed behaviour of the real parser, which is not part of this repository: beside it, or beside the folder of its worktrees.
const places = ["../shared/fixtures/signal", "../../shared/fixtures/signal"];
const vectors = places
  .map((place) => join(import.meta.dirname, "../../../..", place, "textstyle-vectors.jsonl"))
  .find((path) => existsSync(path));

describe("the stand-in for the styled parser", () => {
  it.each([
    ["2*3*4", "234", ["1:1:ITALIC"]],
    ["*a **b* c**", "a b c", []],
    ["~~gone~~", "gone", ["0:0:STRIKETHROUGH", "4:0:STRIKETHROUGH"]],
    ["***x***", "x", ["0:1:BOLD", "0:1:ITALIC"]],
    [String.raw`\***bold**`, "***bold", []],
    [String.raw`\\*x*`, String.raw`\*x`, []],
    [String.raw`C:\dir\*`, String.raw`C:\dir*`, []],
    [String.raw`a | b || c \|\| \||`, "a | b  c || ||", []],
  ])("reads %s as the real one does", (markup, text, styles) => {
    expect(parseStyledText(markup)).toEqual({ text, styles });
  });

  it("reads three stars as two and one where the release has no sign for them", () => {
    expect(parseStyledText("***x***", { tripleStar: false }).styles).toEqual([]);
  });

  it.skipIf(!vectors)("agrees with what was seen (skipped without ../shared/fixtures/signal)", () => {
    const seen = readFileSync(vectors!, "utf8").trim().split("\n");
    expect(seen.length).toBeGreaterThan(40);
    for (const line of seen) {
      const { in: markup, ...styled } = JSON.parse(line);
      expect({ markup, ...parseStyledText(markup) }).toEqual({ markup, ...styled });
    }
  });
});
