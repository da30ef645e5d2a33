import { describe, expect, it } from "vitest";
import { isModelAllowed } from "../../../../tee-bot/gateway/access/model-globs.ts";

describe("a key's list of models", () => {
  it.each([
    ["llama3.2:3b", "llama3.2:3b", true],
    ["llama3.2:3b", "llama3.2:3bx", false],
    ["llama*", "llama3.2:3b", true],
    ["llama*", "llama", true],
    ["llama*", "xllama", false],
    ["*", "anything/at:all", true],
    ["*coder*", "qwen2.5-coder:7b", true],
    ["*-coder", "qwen-coder-base", false],
    ["near/*", "near/z-ai/glm-5.3", true],
    ["near/*", "glm-5.3", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["llama3.2", "llama3x2", false],
    ["*", "", true],
    ["", "a", false],
  ])("%j and the model %j: %s", (glob, name, allowed) => {
    expect(isModelAllowed([glob], name)).toBe(allowed);
  });

  it("lets through what any of its entries names, all without a list, and nothing with an empty one", () => {
    expect(isModelAllowed(["a", "b*"], "bc")).toBe(true);
    expect(isModelAllowed(undefined, "anything")).toBe(true);
    expect(isModelAllowed([], "anything")).toBe(false);
  });

  it("does not take long over a name that is made to", () => {
    const startedAt = performance.now();
    expect(isModelAllowed([`${"*a".repeat(100)}b`], "a".repeat(512))).toBe(false);
    expect(isModelAllowed([`${"*a".repeat(100)}b`], "a".repeat(1 << 20))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(100);
  });
});
