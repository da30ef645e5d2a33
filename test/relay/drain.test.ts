import { describe, expect, test } from "vitest";
import { decideOpen } from "../../relay/drain.ts";

const limits = { drainMs: 30_000, drainQuietMs: 3_000 };
const facts = { sinceMs: 1_000, visitorMsAgo: undefined, tunnels: 1 };

describe("a drain", () => {
  test("stays open until nobody has come for the quiet time", () => {
    expect(decideOpen(facts, limits)).toBe(true);
    expect(decideOpen({ ...facts, sinceMs: 3_000 }, limits)).toBe(false);
    expect(decideOpen({ ...facts, sinceMs: 10_000, visitorMsAgo: 2_999 }, limits)).toBe(true);
    expect(decideOpen({ ...facts, sinceMs: 10_000, visitorMsAgo: 3_000 }, limits)).toBe(false);
  });

  test("counts the quiet time from its begin, however long nobody came before", () => {
    expect(decideOpen({ ...facts, sinceMs: 10, visitorMsAgo: 60_000 }, limits)).toBe(true);
  });

  test("leaves half of its time to those who came last", () => {
    expect(decideOpen({ ...facts, sinceMs: 14_999, visitorMsAgo: 0 }, limits)).toBe(true);
    expect(decideOpen({ ...facts, sinceMs: 15_000, visitorMsAgo: 0 }, limits)).toBe(false);
  });

  test("closes when there is no tunnel left by which to serve", () => {
    expect(decideOpen({ ...facts, tunnels: 0 }, limits)).toBe(false);
  });
});
