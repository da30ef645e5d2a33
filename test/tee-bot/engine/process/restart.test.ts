import { describe, expect, it } from "vitest";
import { decideStartAt } from "../../../../tee-bot/engine/process/restart.ts";

const now = 1_000_000_000;

describe("an engine that has crashed", () => {
  it("is started again at once after one crash", () => {
    expect(decideStartAt([], now)).toBe(now);
    expect(decideStartAt([now - 10], now)).toBe(now);
  });

  it("waits longer after each further one, up to a minute", () => {
    expect(decideStartAt([now - 20, now - 10], now)).toBe(now - 10 + 1_000);
    expect(decideStartAt([now - 30, now - 20, now - 10], now)).toBe(now - 10 + 2_000);
    const many = Array.from({ length: 20 }, (_, at) => now - 20 + at);
    expect(decideStartAt(many, now)).toBe(now - 1 + 60_000);
  });

  it("is forgiven what is long ago", () => {
    expect(decideStartAt([now - 700_000, now - 650_000, now - 10], now)).toBe(now);
  });
});
