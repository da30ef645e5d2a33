import { expect, test } from "vitest";
import { nextCallAt, spendCall, type CallBudget } from "../../../workers/dns/call-budget.ts";

const fiveMinutes = 5 * 60_000;
const full: CallBudget = { tokens: Number.POSITIVE_INFINITY, at: 0 };

test("a budget of 1000 calls never comes to Cloudflare's 1200 in five minutes, and uses 1000 of them", () => {
  const spent: number[] = [];
  let budget = full;
  for (let now = 0; now < 3 * fiveMinutes; now += 50) {
    const left = spendCall(budget, now, 1_000);
    if (left) spent.push(now);
    budget = left ?? budget;
  }
  for (let from = 0; from <= 2 * fiveMinutes; from += 1_000) {
    const inWindow = spent.filter((at) => at >= from && at < from + fiveMinutes).length;
    expect(inWindow).toBeLessThanOrEqual(1_200);
    expect(inWindow).toBeGreaterThanOrEqual(990);
  }
});

test("an empty budget tells when the next call can be made, and it can", () => {
  const empty: CallBudget = { tokens: 0, at: 1_000 };
  expect(spendCall(empty, 1_000, 1_000)).toBeUndefined();
  const next = nextCallAt(empty, 1_000, 1_000);
  expect(next).toBe(1_300);
  expect(spendCall(empty, next, 1_000)).toEqual({ tokens: 0, at: next });
  expect(nextCallAt(full, 5, 1_000)).toBe(5);
});

test("a clock that is set back takes nothing away", () => {
  expect(spendCall({ tokens: 2, at: 10_000 }, 0, 1_000)?.tokens).toBe(1);
});
