import { describe, expect, it } from "vitest";
import {
  decideNextLookMs,
  decideStanding,
  type Look,
  type Standing,
} from "../../../../tee-bot/gateway/providers/standing.ts";

const up: Standing = { state: "up", since: 1, reason: undefined, failures: 0 };
const asleep: Look = { kind: "asleep", reason: "Nothing can be reached." };
const broken: Look = { kind: "broken", reason: "It answers 500." };

describe("what is known of a provider", () => {
  it("changes at once when nothing listens, and when its key is refused", () => {
    expect(decideStanding(up, asleep, 5)).toEqual({
      state: "asleep",
      since: 5,
      reason: "Nothing can be reached.",
      failures: 1,
    });
    expect(decideStanding(up, { kind: "refused-key", reason: "401" }, 5)).toMatchObject({
      state: "refused-key",
      since: 5,
    });
  });

  it("does not change by one odd answer, but by two in a row", () => {
    const once = decideStanding(up, broken, 5);
    expect(once).toMatchObject({ state: "up", since: 1, failures: 1 });
    expect(decideStanding(once, broken, 6)).toMatchObject({ state: "broken", since: 6, reason: "It answers 500." });
    expect(decideStanding(once, "up", 6)).toEqual(up);
  });

  it("does not change while it answers calls, unless nothing listens", () => {
    const refused: Look = { kind: "refused-key", reason: "It answers 401." };
    for (const look of [broken, refused])
      expect(decideStanding({ ...up, failures: 7 }, look, 5, true)).toEqual({ ...up, failures: 8 });
    expect(decideStanding(up, asleep, 5, true).state).toBe("asleep");
    expect(decideStanding({ ...up, state: "broken" }, broken, 5, true).state).toBe("broken");
  });

  it("keeps the time since when it is so", () => {
    const first = decideStanding(up, asleep, 5);
    expect(decideStanding(first, asleep, 9)).toMatchObject({ since: 5, failures: 2 });
    expect(decideStanding(first, "up", 9)).toEqual({ state: "up", since: 9, reason: undefined, failures: 0 });
  });
});

describe("the next look", () => {
  const of = (
    state: Standing["state"],
    failures: number,
    location: "local" | "cloud" = "local",
    random = 0.5,
  ): number => decideNextLookMs({ state, failures }, { location, everyMs: 15_000, random: () => random });

  it("comes at leisure while all is well, more so in the cloud", () => {
    expect(of("up", 0)).toBe(15_000);
    expect(of("up", 0, "cloud")).toBe(300_000);
    expect([of("up", 0, "local", 0), of("up", 0, "local", 1)]).toEqual([13_500, 16_500]);
  });

  it("comes soon after something has gone, and within one interval for as long as it is away", () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((failures) => of("asleep", failures))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
    ]);
    expect(of("asleep", 50, "cloud")).toBe(15_000);
    expect([of("up", 1), of("up", 2), of("up", 50)]).toEqual([1_000, 2_000, 15_000]);
  });

  it("comes less and less often where something is broken, and seldom where a key was refused in the cloud", () => {
    expect([2, 5, 6, 9, 50].map((failures) => of("broken", failures))).toEqual([
      15_000, 16_000, 32_000, 256_000, 300_000,
    ]);
    expect(of("refused-key", 1, "cloud")).toBe(300_000);
    expect(of("refused-key", 1)).toBe(15_000);
  });
});
