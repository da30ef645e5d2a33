import { describe, expect, test } from "vitest";
import { TokenBucket } from "../../../relay/limits/token-bucket.ts";

describe("a token bucket", () => {
  test("gives its burst at once, then its rate", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 0);
    expect([0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([true, true, true, false]);
    expect(bucket.take(99)).toBe(false);
    expect(bucket.take(100)).toBe(true);
    expect(bucket.take(100)).toBe(false);
  });

  test("never holds more than its burst, and takes nothing back when the clock does", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, 0);
    expect([60_000, 60_000, 60_000, 0].map((now) => bucket.take(now))).toEqual([true, true, false, false]);
  });

  test("tells how long a debt takes to be paid", () => {
    const bucket = new TokenBucket({ perSecond: 1_000, burst: 500 }, 0);
    expect(bucket.owe(500, 0)).toBe(0);
    expect(bucket.owe(250, 0)).toBe(250);
    expect(bucket.owe(0, 250)).toBe(0);
  });
});
