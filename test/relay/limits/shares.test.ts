import { describe, expect, test } from "vitest";
import { Shares } from "../../../relay/limits/shares.ts";

function sharesAt(options: Partial<ConstructorParameters<typeof Shares>[0]> = {}) {
  let now = 0;
  const clock = { now: () => now, sleep: () => Promise.resolve() };
  const shares = new Shares({ perSecond: 1, burst: 2, maxOpen: 10, clock, ...options });
  return { shares, pass: (ms: number) => (now += ms) };
}

describe("shares", () => {
  test("give every key its own rate", () => {
    const { shares, pass } = sharesAt();
    expect(["a", "a", "a", "b"].map((key) => shares.enter(key))).toEqual([undefined, undefined, "rate", undefined]);
    pass(1_000);
    expect(shares.enter("a")).toBeUndefined();
  });

  test("bound the open ones of a key until some leave", () => {
    const { shares } = sharesAt({ burst: 100, maxOpen: 2 });
    expect(["a", "a", "a", "b"].map((key) => shares.enter(key))).toEqual([undefined, undefined, "full", undefined]);
    shares.leave("a");
    expect(shares.enter("a")).toBeUndefined();
  });

  test("remember no more keys than they may, and forget the one not seen for longest", () => {
    const { shares } = sharesAt({ burst: 1, maxKeys: 2 });
    for (const key of ["a", "b", "a", "c"]) shares.enter(key);
    expect(shares.size).toBe(2);
    expect(shares.enter("a")).toBe("rate");
    expect(shares.enter("b")).toBeUndefined();
  });
});
