import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findNearNames } from "../../../../tee-bot/gateway/routing/near-names.ts";

const names = ["llama3.2:latest", "llama3.1:8b", "qwen/qwen3-4b", "gpt-4o-mini", "nomic-embed-text", "postern-demo"];

describe("near names", () => {
  it.each([
    ["llama3.2", ["llama3.2:latest"]],
    ["qwen3-4b", ["qwen/qwen3-4b"]],
    ["GPT-4O-MINI", ["gpt-4o-mini"]],
    ["gpt4omini", ["gpt-4o-mini"]],
    ["postren-demo", ["postern-demo"]],
    ["something else entirely", []],
    ["", []],
  ])("of %j are %j", (name, near) => {
    expect(findNearNames(name, names)).toEqual(near);
  });

  it("are five at most", () => {
    expect(
      findNearNames(
        "m0",
        Array.from({ length: 50 }, (_, at) => `m${at}`),
      ),
    ).toHaveLength(5);
  });

  it("take little time, whatever is asked for", () => {
    const many = Array.from({ length: 20_000 }, (_, at) => `${"long-name-".repeat(20)}${at}`);
    const began = performance.now();
    for (let time = 0; time < 10; time++) findNearNames("long-name-x".repeat(100_000), many);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it("are names that there are, and always the name itself first", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 3, maxLength: 12 }), { minLength: 1 }), (some) => {
        const [first = ""] = some;
        const near = findNearNames(first, new Set(some));
        expect(near.every((name) => some.includes(name))).toBe(true);
      }),
    );
  });
});
