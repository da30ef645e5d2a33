import { describe, expect, it } from "vitest";
import { createKeyText, hashOfKey, isMeantAsKey, isWholeKey } from "../../../../tee-bot/gateway/access/key-text.ts";

describe("the text of an API key", () => {
  it("is found by a scanner for secrets, and never the same twice", () => {
    const texts = Array.from({ length: 500 }, createKeyText);
    for (const text of texts) expect(text).toMatch(/^postern_[0-9A-Za-z]{49}$/);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it("is whole as it was made, and no more when a letter was changed, lost or added", () => {
    const text = createKeyText();
    expect(isWholeKey(text)).toBe(true);
    for (let at = "postern_".length; at < text.length; at++) {
      const other = text[at] === "x" ? "y" : "x";
      expect(isWholeKey(text.slice(0, at) + other + text.slice(at + 1))).toBe(false);
      expect(isWholeKey(text.slice(0, at) + text.slice(at + 1))).toBe(false);
    }
    expect(isWholeKey(`${text}x`)).toBe(false);
    expect(isWholeKey("")).toBe(false);
  });

  it("is told from the keys of others", () => {
    expect(isMeantAsKey(createKeyText())).toBe(true);
    for (const other of ["sk-proj-abc", "ollama", "unused", ""]) expect(isMeantAsKey(other)).toBe(false);
  });

  it("is kept as its SHA-256 only", () => {
    expect(hashOfKey("postern_x")).toBe("1bO_tGUcn-dY0Blg2CKOFBDrd3_YgzJZSerhyiWr7RA"); // as openssl dgst has it
  });
});
