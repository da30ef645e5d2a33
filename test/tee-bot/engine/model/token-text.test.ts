import type { Token } from "node-llama-cpp";
import { describe, expect, it } from "vitest";
import { TokenText } from "../../../../tee-bot/engine/model/token-text.ts";

/** Tokens that are bytes. */
const bytes = (tokens: readonly Token[]): string => Buffer.from(tokens as unknown as number[]).toString();

function say(input: Buffer): string[] {
  const text = new TokenText(bytes, []);
  return [...[...input].map((byte) => text.push(byte as Token)), text.end()];
}

describe("the text of tokens", () => {
  it("has a character when its last byte has come", () => {
    expect(say(Buffer.from("a€b"))).toEqual(["a", "", "", "€", "b", ""]);
    expect(say(Buffer.from("😀"))).toEqual(["", "", "", "😀", ""]);
  });

  it("does not wait for ever for a character that never comes", () => {
    expect(say(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x61])).join("")).toBe("\uFFFD\uFFFD\uFFFD\uFFFDa");
    expect(say(Buffer.from([0x61, 0xe2])).join("")).toBe("a\uFFFD");
  });
});
