import { describe, expect, it } from "vitest";
import { TokenBucket } from "../../../../tee-bot/gateway/access/token-bucket.ts";

describe("a token bucket", () => {
  it("gives a minute's worth at once, and then as fast as it fills", () => {
    const bucket = new TokenBucket(60, 0);
    for (let taken = 0; taken < 60; taken++) {
      expect(bucket.has(1, 0)).toBe(true);
      bucket.take(1, 0);
    }
    expect(bucket.has(1, 0)).toBe(false);
    expect(bucket.msUntil(1, 0)).toBe(1_000);
    expect(bucket.has(1, 999)).toBe(false);
    expect(bucket.has(1, 1_000)).toBe(true);
    expect(bucket.msUntil(60, 1_000)).toBe(59_000);
  });

  it("never holds more than a minute's worth", () => {
    const bucket = new TokenBucket(10, 0);
    expect(bucket.level(3_600_000)).toBe(10);
    bucket.take(-5, 3_600_000);
    expect(bucket.level(3_600_000)).toBe(10);
  });

  it("is in debt after a call that cost more than was thought, and takes as much longer", () => {
    const bucket = new TokenBucket(60, 0);
    bucket.take(90, 0);
    expect(bucket.level(0)).toBe(-30);
    expect(bucket.msUntil(1, 0)).toBe(31_000);
    expect(bucket.has(1, 30_999)).toBe(false);
    expect(bucket.has(1, 31_000)).toBe(true);
  });

  it("lets through more than fits in when it is full, for it could never have so much", () => {
    const bucket = new TokenBucket(100, 0);
    expect(bucket.has(1_000, 0)).toBe(true);
    bucket.take(1, 0);
    expect(bucket.has(1_000, 0)).toBe(false);
    expect(bucket.msUntil(1_000, 0)).toBe(600);
    expect(bucket.has(1_000, 600)).toBe(true);
  });

  it("loses nothing to a clock that is set back", () => {
    const bucket = new TokenBucket(60, 10_000);
    bucket.take(60, 10_000);
    expect(bucket.level(5_000)).toBe(0);
    expect(bucket.level(11_000)).toBe(1);
  });
});
