import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAnswer, formatPlain } from "../../../../tee-bot/bot/format/format.ts";
import { parseMarkdown } from "../../../../tee-bot/bot/format/parse-markdown.ts";
import { joinLines } from "../../../../tee-bot/bot/format/runs.ts";
import {
  maxPieceBytes,
  minPieceBytes,
  minPieceUnits,
  type Piece,
  type PieceLimits,
} from "../../../../tee-bot/bot/format/split.ts";
import { parseStyledText } from "../../../../tee-bot/bot/simulator/styled-text.ts";
import { garbage, markdown } from "./support/generators.ts";
import { shownText, shownUnits, wantedUnits } from "./support/shown.ts";

const suffix = / \((\d+)\/(\d+)\)$/;
const short = { maxUnits: 100, maxBytes: maxPieceBytes };
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

const split = (source: string, limits: PieceLimits = short): string[] =>
  formatAnswer(source, limits).map(({ plain }) => plain.replace(suffix, ""));

describe("a long answer", () => {
  it("is one piece without a count when it fits, to the last unit", () => {
    expect(formatAnswer("x".repeat(100), short)).toEqual([{ styled: "x".repeat(100), plain: "x".repeat(100) }]);
    expect(formatAnswer("x".repeat(101), short).map(({ plain }) => plain.slice(-6))).toEqual([" (1/2)", " (2/2)"]);
  });

  it("counts its pieces, with more than nine too", () => {
    const pieces = formatAnswer("word ".repeat(1_000), short);
    expect(pieces.length).toBeGreaterThan(50);
    expect(pieces.map(({ plain }) => suffix.exec(plain)?.[0])).toEqual(
      pieces.map((_, index) => ` (${index + 1}/${pieces.length})`),
    );
  });

  it("is cut between paragraphs before lines, and between lines before sentences", () => {
    const [a, b, c] = ["a".repeat(60), "b".repeat(20), "c".repeat(50)];
    expect(split(`${a}\n\n${b}\n${c}`)).toEqual([a, `${b}\n${c}`]);
    expect(split(`${a}\n${b} yes. no\n${c}`)).toEqual([`${a}\n${b} yes. no`, c]);
    expect(split(`${a} yes. It ${b} ${c}`)).toEqual([`${a} yes.`, `It ${b} ${c}`]);
  });

  it("is cut between words when a sentence is long, and keeps addresses whole", () => {
    const address = `https://ex.com/${"p".repeat(60)}`;
    expect(split(`${"word ".repeat(10)}[x](${address}) end`)).toEqual([`${"word ".repeat(10)}x`, `(${address}) end`]);
  });

  it("keeps a code block whole when it fits into the next piece", () => {
    const code = ["first();", "", "second();", "x".repeat(40)].join("\n");
    expect(split(`${"a".repeat(20)}\n\n${"b".repeat(30)}\n\n\`\`\`\n${code}\n\`\`\``)).toEqual([
      `${"a".repeat(20)}\n\n${"b".repeat(30)}`,
      code,
    ]);
  });

  it("is cut between lines of a code block that does not fit, each line with its indent and its style", () => {
    const lines = [
      "if (a) {",
      ...Array.from({ length: 8 }, (_, index) => `  call(${index}, "${"x".repeat(12)}");`),
      "}",
    ];
    const pieces = formatAnswer(`\`\`\`\n${lines.join("\n")}\n\`\`\``, short);
    expect(pieces.flatMap(({ plain }) => plain.replace(suffix, "").split("\n"))).toEqual(lines);
    for (const { styled } of pieces)
      for (const line of styled.replace(suffix, "").split("\n")) expect(line).toMatch(/^`.*`$/);
  });

  it("begins each piece with the styles that the last one ended in", () => {
    const pieces = formatAnswer(`**${"bold ".repeat(30).trim()}**`, short);
    expect(pieces.length).toBe(2);
    for (const { styled } of pieces) {
      const { text, styles } = parseStyledText(styled);
      expect(styles).toEqual([`0:${text.replace(suffix, "").length}:BOLD`]);
    }
  });

  it("is cut in no grapheme", () => {
    for (const one of ["👩‍👩‍👧", "🇩🇪", "e\u0301", "中"]) {
      const pieces = split(one.repeat(200));
      expect(pieces.length).toBeGreaterThan(1);
      expect(pieces.join("")).toBe(one.repeat(200));
      for (const piece of pieces)
        expect([...graphemes.segment(piece)].every(({ segment }) => segment === one)).toBe(true);
    }
  });

  it("is cut in a grapheme that is longer than a piece, but in no surrogate pair", () => {
    const endless = `a${"\u0301".repeat(500)}${"👩‍".repeat(100)}`;
    const pieces = split(endless);
    expect(pieces.join("")).toBe(endless);
    for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
  });

  it("sends no piece of white space only", () => {
    const pieces = split(`a${"\u3000".repeat(500)}b`);
    expect(pieces).toEqual(["a", expect.stringMatching(/^\u3000*b$/)]);
  });

  it("keeps the limit in bytes", () => {
    const pieces = formatAnswer("中".repeat(1_000), { maxUnits: 4_000, maxBytes: 2_000 });
    expect(pieces.length).toBe(2);
    for (const { plain } of pieces) expect(Buffer.byteLength(plain)).toBeLessThanOrEqual(2_000);
  });

  it("has no piece that a telephone would cut, whatever is asked for", () => {
    const pieces = formatAnswer("中".repeat(100_000), { maxUnits: 1_000_000, maxBytes: 1_000_000 });
    for (const { plain } of pieces) expect(Buffer.byteLength(plain)).toBeLessThanOrEqual(64 * 1024);
  });

  it("needs room for more than its count", () => {
    expect(() => formatAnswer("x", { maxUnits: minPieceUnits - 1, maxBytes: maxPieceBytes })).toThrow(RangeError);
    expect(() => formatAnswer("x", { maxUnits: minPieceUnits, maxBytes: minPieceBytes - 1 })).toThrow(RangeError);
  });
});

describe("pieces of anything", () => {
  const sources = fc
    .array(fc.oneof(markdown, garbage), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join("\n\n"));
  const limits = fc.record({
    maxUnits: fc.integer({ min: minPieceUnits, max: 400 }),
    maxBytes: fc.integer({ min: minPieceBytes, max: 800 }),
  });
  const some = { seed: 7, numRuns: 1_000 };

  it("keep the limits with all that is sent, and are the whole text but for white space at the cuts", () => {
    fc.assert(
      fc.property(sources, limits, (source, most) => {
        const pieces = formatAnswer(source, most);
        for (const { styled } of pieces) expectWithin(styled, most);
        expectWhole(pieces, formatPlain(source));
      }),
      some,
    );
  });

  it("keep the styles of the whole", () => {
    const visible = (units: string[]): string[] => units.filter((unit) => !/^\s/.test(unit));
    fc.assert(
      fc.property(sources, limits, (source, most) => {
        const pieces = formatAnswer(source, most);
        const end = pieces.length > 1 ? suffix : "";
        const parts = pieces.flatMap(({ styled }) => shownUnits(styled.replace(end, "")));
        expect(visible(parts)).toEqual(visible(wantedUnits(joinLines(parseMarkdown(source)))));
      }),
      some,
    );
  });
});

function expectWithin(styled: string, { maxUnits, maxBytes }: PieceLimits): void {
  const { text } = parseStyledText(styled);
  expect(text.length).toBeLessThanOrEqual(maxUnits);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes);
}

function expectWhole(pieces: readonly Piece[], whole: string): void {
  let at = 0;
  for (const { styled, plain } of pieces) {
    expect(shownText(styled)).toBe(plain.replaceAll("\u2060", ""));
    const text = pieces.length > 1 ? plain.replace(suffix, "") : plain;
    const found = whole.indexOf(text, at);
    expect(found).toBeGreaterThanOrEqual(at);
    expect(whole.slice(at, found).trim()).toBe("");
    at = found + text.length;
  }
  expect(whole.slice(at).trim()).toBe("");
}
