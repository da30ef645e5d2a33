import { expect, test } from "vitest";
import type { CaFailure } from "../../../shared/acme/ca.ts";
import { decideBlock, decideHeldUp, decideSpreadMs, maxBlockMs, scopesOf } from "../../../workers/acme/patience.ts";

const order = { order: "a", hostnames: ["b.example", "A.example"] };
const limited = (detail: string): CaFailure => ({
  kind: "rate-limited",
  type: "rateLimited",
  status: 429,
  retryAfterMs: 1_000,
  detail,
});

// As Let's Encrypt words them (its documentation of rate limits).
test.for([
  ["too many new orders (300) from this account in the last 3h0m0s, retry after …", "orders"],
  ['too many certificates (50) already issued for "example.com" in the last 168h0m0s, retry after …', "orders"],
  [
    "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after …",
    "names a.example,b.example",
  ],
  ['too many failed authorizations (5) for "a.example" in the last 1h0m0s, retry after …', "names a.example,b.example"],
  ["too many registrations (10) from this IP address in the last 3h0m0s, retry after …", "account"],
  ["Rate limit reached", "account"],
] as const)("%s: holds up %s", ([detail, scope]) => {
  expect(decideBlock(limited(detail), order, 0)?.scope).toBe(scope);
  expect(decideBlock(limited(detail), undefined, 0)?.scope).toBe("account");
});

test("a limit that is told in another form than the CA's own holds up the account", () => {
  const { type: _, ...untyped } = limited("too many new orders");
  expect(decideBlock(untyped, order, 0)?.scope).toBe("account");
});

test.for<Pick<CaFailure, "kind" | "retryAfterMs">>([
  { kind: "unavailable" },
  { kind: "unavailable", retryAfterMs: 0 },
  { kind: "rate-limited", retryAfterMs: 0 },
  { kind: "refused", retryAfterMs: 5_000 },
  { kind: "gone", retryAfterMs: 5_000 },
])("nothing is held up by %o", (failure) => {
  expect(decideBlock({ ...failure, detail: "" }, order, 0)).toBeUndefined();
});

test("whatever a CA asks for, it is asked again after six hours", () => {
  const block = decideBlock({ ...limited(""), retryAfterMs: Number.MAX_SAFE_INTEGER }, undefined, 1_000);
  expect(block?.until).toBe(1_000 + maxBlockMs);
});

test("a block lasts from its beginning to its end, which does not belong to it", () => {
  const block = { scope: "account", since: 1_000, until: 2_000, failure: limited("slowly") } as const;
  expect([999, 1_000, 1_999, 2_000].map((now) => decideHeldUp(block, now)?.retryAfterMs)).toEqual([
    undefined,
    1_000,
    1,
    undefined,
  ]);
});

test("a renewal is not held up by the limits for new orders", () => {
  expect(scopesOf(order)).toContain("orders");
  expect(scopesOf({ ...order, replaces: "id" })).not.toContain("orders");
  expect(scopesOf(undefined)).toEqual(["account"]);
});

test("those who wait come back within a tenth of their wait, and half a minute at most", () => {
  expect([0, 0.5, 0.999].map((random) => decideSpreadMs(10_000, random))).toEqual([10_000, 10_500, 10_999]);
  expect(decideSpreadMs(maxBlockMs, 0.999)).toBeLessThan(maxBlockMs + 30_000);
});
