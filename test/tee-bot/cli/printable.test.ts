import { describe, expect, it } from "vitest";
import { printable, printableJson } from "../../../tee-bot/cli/printable.ts";

const escape = String.fromCharCode(0x1b);
const override = String.fromCharCode(0x202e);
const csi = String.fromCharCode(0x9b);

describe("text of somebody else", () => {
  it("reaches the terminal without what could steer it", () => {
    expect(printable(`a${escape}[2J${csi}b\r\nc${override}d`)).toBe("a\\u{1b}[2J\\u{9b}b\\u{d}\\u{a}c\\u{202e}d");
  });

  it("keeps letters of every script", () => {
    expect(printable("Größe 大 🙂 → ok")).toBe("Größe 大 🙂 → ok");
  });

  it("means the same as JSON, where nothing steers the terminal either", () => {
    const value = { a: `x${escape}${csi}${override}\n\u2028y` };
    const text = printableJson(value);
    expect(JSON.parse(text)).toEqual(value);
    for (const one of [escape, csi, override, "\n", "\u2028"]) expect(text).not.toContain(one);
  });
});
