import { describe, expect, it } from "vitest";
import { cutAtStyles } from "../../../../../tee-bot/bot/simulator/page/styled-runs.ts";

describe("a text cut at its styles", () => {
  it("is whole again when it is joined, and each part has the styles that cover it", () => {
    expect(cutAtStyles("one two", ["0:3:BOLD", "2:3:ITALIC"])).toEqual([
      { text: "on", styles: ["bold"] },
      { text: "e", styles: ["bold", "italic"] },
      { text: " t", styles: ["italic"] },
      { text: "wo", styles: [] },
    ]);
  });

  it("counts in UTF-16 units, as Signal does", () => {
    expect(cutAtStyles("🙂 yes", ["3:3:BOLD"])).toEqual([
      { text: "🙂 ", styles: [] },
      { text: "yes", styles: ["bold"] },
    ]);
  });

  it("has nothing of an empty text, leaves out what is no range, and ends with the text", () => {
    expect(cutAtStyles("", [])).toEqual([]);
    expect(cutAtStyles("abc", ["x", "1:9:BOLD", "0:1:bold"])).toEqual([
      { text: "a", styles: [] },
      { text: "bc", styles: ["bold"] },
    ]);
  });
});
