import { describe, expect, it } from "vitest";
import { seededRandom } from "../fuzz/random.ts";
import { decideGrowth, slopeOf, type Sample } from "./slope.ts";

const minuteMs = 60_000;
const random = seededRandom(5);
const noise = (size: number): number => ((random.below(1_000) - 500) / 500) * size;
const samples = (count: number, value: (minutes: number) => number): Sample[] =>
  Array.from({ length: count }, (_, at) => ({ at: at * minuteMs, value: value(at) }));
const grows = (series: Sample[]): boolean =>
  decideGrowth({ name: "memory", unit: "MiB", limitPerHour: 48, samples: series }).grows;

describe("the slope", () => {
  it("of a line is the line's, without an error", () => {
    const slope = slopeOf(samples(5, (minutes) => 7 + 3 * minutes));
    expect((slope?.perMs ?? 0) * minuteMs).toBeCloseTo(3);
    expect(slope?.error).toBeCloseTo(0);
  });

  it("of too few samples, or of one moment, is none", () => {
    expect(slopeOf(samples(2, () => 1))).toBeUndefined();
    expect(slopeOf([1, 2, 3].map((value) => ({ at: 0, value })))).toBeUndefined();
  });
});

describe("what grows", () => {
  it("is a leak of two MiB a minute below noise of ten", () => {
    expect(grows(samples(25, (minutes) => 120 + 2 * minutes + noise(10)))).toBe(true);
  });

  it("is not a level value with noise, nor a slow slope below the limit", () => {
    expect(grows(samples(25, () => 120 + noise(20)))).toBe(false);
    expect(grows(samples(60, (minutes) => 120 + 0.5 * minutes + noise(3)))).toBe(false);
  });

  it("is not a value that rises to a level and stays there for most of the time", () => {
    expect(grows(samples(40, (minutes) => 150 - 30 * Math.exp(-minutes / 4)))).toBe(false);
  });

  it("is not judged by fewer than six samples", () => {
    expect(grows(samples(5, (minutes) => 100 * minutes))).toBe(false);
  });
});
