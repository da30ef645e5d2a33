import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { demoModel } from "../../../../tee-bot/engine/demo-model.ts";
import { GgufError, parseGguf } from "../../../../tee-bot/engine/gguf/parse-gguf.ts";
import { arrayType, ggufHeader, stringType, text, u32, u32Type, u64 } from "../../../support/engine/gguf-bytes.ts";

const endless = Buffer.concat(Array.from({ length: 9 }, () => Buffer.concat([u32(arrayType), u64(1)])));
const architecture = ["general.architecture", stringType, text("llama")] as const;

describe("the header of a GGUF file", () => {
  it("tells what the demo model is", () => {
    expect(parseGguf(readFileSync(demoModel.path))).toEqual({
      architecture: "llama",
      name: "Postern demo",
      description: "A toy that has learnt a few sentences about Postern by heart.",
      quantization: "Q8_0",
      contextLength: 1_024,
      embeds: false,
    });
  });

  it("is read as far as it is needed: the vocabulary behind it is not", () => {
    const header = ggufHeader([
      architecture,
      ["llama.context_length", u32Type, u32(2_048)],
      ["tokenizer.ggml.tokens", arrayType, Buffer.concat([u32(stringType), u64(1_000_000)])],
    ]);
    expect(parseGguf(header)?.contextLength).toBe(2_048);
  });

  it("tells that a model makes embeddings by its pooling", () => {
    expect(parseGguf(ggufHeader([architecture, ["llama.pooling_type", u32Type, u32(1)]]))?.embeds).toBe(true);
  });

  it("passes over arrays, also of texts and of arrays", () => {
    const texts = Buffer.concat([u32(stringType), u64(2), text("a"), text("b")]);
    const nested = Buffer.concat([u32(arrayType), u64(1), u32(u32Type), u64(2), u32(1), u32(2)]);
    const header = ggufHeader([["general.tags", arrayType, texts], ["x", arrayType, nested], architecture]);
    expect(parseGguf(header)?.architecture).toBe("llama");
  });

  it("is asked for in full when it is cut at any byte", () => {
    const header = ggufHeader([["general.name", stringType, text("name")], architecture]);
    for (let length = 0; length < header.length; length++)
      expect(parseGguf(header.subarray(0, length))).toBeUndefined();
    expect(parseGguf(header)?.name).toBe("name");
  });

  it("is as it should to its end, or refused, when all of it is asked for", () => {
    const file = readFileSync(demoModel.path);
    expect(parseGguf(file, { whole: true })?.architecture).toBe("llama");
    expect(parseGguf(ggufHeader([architecture], { tensors: 1 }), { whole: true })).toBeUndefined();
    const endlessTexts = Buffer.concat([u32(stringType), u64(2 ** 40)]);
    const damaged = ggufHeader([architecture, ["tokenizer.ggml.tokens", arrayType, endlessTexts]]);
    expect(parseGguf(damaged, { whole: true })).toBeUndefined();
    expect(() => parseGguf(ggufHeader([architecture], { tensors: 10 ** 9 }), { whole: true })).toThrow("tensors");
  });

  it.each([
    ["other bytes", Buffer.concat([Buffer.from("PK"), randomBytes(64)]), "does not begin with GGUF"],
    ["another version", ggufHeader([architecture], { version: 9 }), "version 9"],
    ["no architecture", ggufHeader([["general.name", stringType, text("x")]]), "architecture"],
    ["a count that no model has", ggufHeader([], { count: 1_000_000_000 }), "claims 1000000000 keys"],
    ["an unknown type", ggufHeader([["x", 99, u32(0)]]), "unknown type 99"],
    ["a length beyond reason", ggufHeader([["x", stringType, u64(2n ** 63n)]]), "length that no file has"],
    ["a name beyond reason", Buffer.concat([ggufHeader([], { count: 1 }), u64(2 ** 40)]), "name that is too long"],
    ["arrays without end", ggufHeader([["x", arrayType, endless]]), "arrays within arrays"],
  ])("is refused with a reason when it has %s", (_, bytes, reason) => {
    expect(() => parseGguf(bytes)).toThrow(GgufError);
    expect(() => parseGguf(bytes)).toThrow(reason);
  });

  it("never fails in another way, whatever the bytes are", () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((tail) => Buffer.concat([ggufHeader([], { count: 3 }), tail]));
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          parseGguf(input);
        } catch (error) {
          expect(error).toBeInstanceOf(GgufError);
        }
      }),
    );
  });
});
