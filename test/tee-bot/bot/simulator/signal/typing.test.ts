import { describe, expect, it } from "vitest";
import {
  isTyping,
  startTyping,
  stopTyping,
  typingDecayMs,
} from "../../../../../tee-bot/bot/simulator/signal/typing.ts";

describe("typing", () => {
  it("is shown for 15 s, and longer when it is told again", () => {
    const once = startTyping([], 1_000);
    expect(isTyping(once, 15_999)).toBe(true);
    expect(isTyping(once, 16_000)).toBe(false);
    const again = startTyping(once, 10_000);
    expect(again).toEqual([{ startedAt: 1_000, refreshedAt: 10_000 }]);
    expect(isTyping(again, 10_000 + typingDecayMs - 1)).toBe(true);
  });

  it("begins anew after it has run out or was stopped", () => {
    const runOut = startTyping(startTyping([], 0), typingDecayMs);
    expect(runOut).toHaveLength(2);
    const stopped = stopTyping(runOut, typingDecayMs + 5);
    expect(stopped.at(-1)).toMatchObject({ stoppedAt: typingDecayMs + 5 });
    expect(isTyping(stopped, typingDecayMs + 6)).toBe(false);
    expect(stopTyping(stopped, typingDecayMs + 7)).toBe(stopped);
    expect(startTyping(stopped, typingDecayMs + 8)).toHaveLength(3);
  });
});
