import { describe, expect, it } from "vitest";
import { decideContextSize } from "../../../../tee-bot/engine/messages.ts";
import { decidePiece, firstPieceTokens } from "../../../../tee-bot/engine/model/prompt-piece.ts";
import { decideThreads } from "../../../../tee-bot/engine/model/threads.ts";

describe("the rules of the engine", () => {
  it("read a prompt in larger pieces where they are quick, in smaller ones where they are slow", () => {
    expect(decidePiece(firstPieceTokens, 5)).toBe(firstPieceTokens * 2);
    expect(decidePiece(64, 60)).toBe(64);
    expect(decidePiece(64, 400)).toBe(32);
    expect(decidePiece(512, 1)).toBe(512);
    expect(decidePiece(1, 10_000)).toBe(1);
  });

  it("take the context that was asked for, or what the model was trained with within reason", () => {
    expect(decideContextSize(4_096, 131_072)).toBe(4_096);
    expect(decideContextSize(undefined, 2_048)).toBe(2_048);
    expect(decideContextSize(undefined, 131_072)).toBe(8_192);
    expect(decideContextSize(undefined, undefined)).toBe(8_192);
  });

  it("give a small model one thread and others every core", () => {
    expect(decideThreads(1_000_000, 8)).toBe(1);
    expect(decideThreads(4_000_000_000, 8)).toBe(8);
  });
});
