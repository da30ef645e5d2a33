import { describe, expect, it } from "vitest";
import { differsAt, piecesOf } from "./pattern.ts";

const bytes = 300_000;
const stream = (seed: number): Buffer => Buffer.concat([...piecesOf(seed, bytes)]);

describe("a pattern", () => {
  it("is the same at both ends, however it is cut", () => {
    const whole = stream(3);
    expect(whole.length).toBe(bytes);
    for (let at = 0; at < bytes; at += 12_345)
      expect(differsAt(3, at, whole.subarray(at, at + 12_345))).toBeUndefined();
  });

  it("shows a byte that was changed, lost or repeated, and a chunk of another stream", () => {
    const whole = stream(3);
    const changed = Buffer.from(whole);
    changed[200_001]! ^= 1;
    expect(differsAt(3, 0, changed)).toBe(200_001);
    expect(differsAt(3, 100, whole.subarray(101, 5_000))).toBeDefined();
    expect(differsAt(3, 100, whole.subarray(99, 5_000))).toBeDefined();
    expect(differsAt(3, 65_536, whole.subarray(0, 65_536))).toBeDefined();
    expect(differsAt(3, 0, stream(4))).toBe(0);
  });
});
