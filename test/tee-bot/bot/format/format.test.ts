import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAnswer, formatPlain } from "../../../../tee-bot/bot/format/format.ts";
import { parseMarkdown } from "../../../../tee-bot/bot/format/parse-markdown.ts";
import { joinLines } from "../../../../tee-bot/bot/format/runs.ts";
import { defaultMaxUnits, maxPieceBytes } from "../../../../tee-bot/bot/format/split.ts";
import { renderStyledText } from "../../../../tee-bot/bot/format/styled-text.ts";
import { parseStyledText } from "../../../../tee-bot/bot/simulator/styled-text.ts";
import { garbage, markdown } from "./support/generators.ts";
import { shownText, shownUnits, wantedUnits } from "./support/shown.ts";

const limits = { maxUnits: defaultMaxUnits, maxBytes: maxPieceBytes };
const runs = { seed: 7, numRuns: 1_500 };

describe("an answer in Signal's styles", () => {
  it.each([
    ["emphasis in emphasis", "**bold *nested* end**", "bold nested end", ["5:6:ITALIC", "0:15:BOLD"]],
    ["bold that is italic", "***x***", "⁠x⁠", ["1:1:BOLD", "0:3:ITALIC"]],
    ["strikethrough", "~~gone~~", "gone", ["0:4:STRIKETHROUGH"]],
    ["a heading", "## *It*, in short", "⁠It, in short", ["1:2:ITALIC", "0:13:BOLD"]],
    ["code with markers in it", "`x = y*2 | ~z`", "x = y*2 | ~z", ["0:12:MONOSPACE"]],
    ["a fence, line by line", "```js\na * b\n\nc\n```", "a * b\n\nc", ["0:5:MONOSPACE", "7:1:MONOSPACE"]],
    ["a backslash before bold", "C:\\\\**x**", "C:\\⁠x", ["4:1:BOLD"]],
    ["a star before bold", "\\***x**", "*⁠x", ["2:1:BOLD"]],
  ])("has %s", (_, source, text, styles) => {
    const [piece] = formatAnswer(source, limits);
    expect(parseStyledText(piece!.styled)).toEqual({ text, styles });
  });

  it.each([
    ["products and powers", "2*3*4 and 2**8**2 and a*b*c", "2*3*4 and 2**8**2 and a*b*c"],
    ["about, or, pipes", "~5 to ~10, a || b, a | b", "~5 to ~10, a || b, a | b"],
    ["names with underscores", "snake_case_name", "snake_case_name"],
    ["an address with markers", "see https://ex.com/~user/*path* now", "see https://ex.com/~user/*path* now"],
    ["a link", "[docs](https://ex.com/~a)", "docs (https://ex.com/~a)"],
    ["a link that says its address", "<https://ex.com/a>", "https://ex.com/a"],
    ["a mail address", "<me@ex.com>", "me@ex.com"],
    ["an image", "![a cat](https://ex.com/c.png)", "a cat (https://ex.com/c.png)"],
    ["an image that is its own address", "![dot](data:image/png;base64,AAAA)", "dot"],
    ["HTML", "<b>hi</b> &lt;", "<b>hi</b> <"],
    ["bullets", "* a\n* b\n  - c", "• a\n• b\n  • c"],
    ["numbers from where they start", "3. a\n4. b", "3. a\n4. b"],
    ["a loose list", "- a\n\n- b", "• a\n\n• b"],
    ["tasks", "- [ ] a\n- [x] b", "☐ a\n☑ b"],
    ["a quote", "> a\n>\n> b", "> a\n>\n> b"],
    ["a rule between paragraphs", "a\n\n---\n\nb", "a\n\n———\n\nb"],
    ["lines of a paragraph", "a\nb  \nc", "a\nb\nc"],
    ["code in an item", "- a\n  ```\n  x\n  ```", "• a\n  x"],
    ["an aligned table", "|a|long|\n|-|-|\n|中文|`x`|", "a     long\n────  ────\n中文  x"],
    ["an empty item", "-\n- b", "• \n• b"],
  ])("keeps %s", (_, source, text) => {
    expect(formatPlain(source)).toBe(text);
    expect(formatAnswer(source, limits).map(({ styled }) => shownText(styled))).toEqual([text]);
  });

  it("lists the rows of a table that is too wide for a telephone", () => {
    const wide = `| name | what it does |\n|-|-|\n| **x** | ${"word ".repeat(10)}|\n| y | |`;
    expect(formatPlain(wide)).toBe(`• name: x\n  what it does: ${"word ".repeat(10).trim()}\n• name: y`);
  });

  it("says nothing when there is nothing to say", () => {
    for (const nothing of ["", " \n\t\n", "[a]: http://x"]) expect(formatAnswer(nothing, limits)).toEqual([]);
  });

  it("keeps what is nested too deep", () => {
    for (const depth of [15, 60, 500]) {
      expect(formatPlain(`${"> ".repeat(depth)}deep`)).toContain("deep");
      expect(formatPlain(`${"- ".repeat(depth)}deep`)).toContain("deep");
      expect(formatPlain(`${"[".repeat(depth)}deep${"](u)".repeat(depth)}`)).toContain("deep");
    }
  });

  it("is the plain text as a person sees it, with the styles it should have, whatever was written", () => {
    fc.assert(
      fc.property(fc.oneof(markdown, garbage), fc.boolean(), (source, tripleStar) => {
        const wanted = joinLines(parseMarkdown(source));
        expect(shownUnits(renderStyledText(wanted).styled, tripleStar)).toEqual(wantedUnits(wanted));
      }),
      runs,
    );
  });

  it("has the words of the source in their order, whatever was written", () => {
    const letters = (text: string): string => text.replaceAll(/[^a-zA-Z中文字]/g, "");
    fc.assert(
      fc.property(fc.array(fc.lorem({ maxCount: 3 }), { maxLength: 8 }), fc.array(garbageGap), (words, gaps) => {
        const source = words.map((word, index) => word + (gaps[index] ?? " ")).join("");
        expect(letters(formatPlain(source))).toBe(letters(words.join("")));
      }),
      runs,
    );
  });
});

/** Signs between words that take no word away: no brackets, which make links and definitions, and no fence, which has a name. */
const garbageGap = fc.string({ unit: fc.constantFrom(..."*_~|\\>#-+=. \n1".split("")), minLength: 1, maxLength: 6 });
