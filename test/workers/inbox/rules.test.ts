import { describe, expect, test } from "vitest";
import { decideFullness, decideSetback } from "../../../workers/inbox/delivery-rules.ts";
import { keptHeaders } from "../../../workers/inbox/kept-headers.ts";
import { maxAttempts, maxWaitingBytesPerNode, maxWaitingPerHook, retryBackoff } from "../../../workers/inbox/limits.ts";
import { Rates } from "../../../workers/inbox/rates.ts";
import { decideIsSignalPlaintext } from "../../../workers/inbox/signal-plaintext.ts";

describe("a setback", () => {
  test("waits longer each time, and never for ever", () => {
    const waits = Array.from({ length: maxAttempts - 1 }, (_, index) => {
      const setback = decideSetback(index + 1, 0, () => 1);
      return setback.dead ? Number.NaN : setback.dueAt;
    });
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(Math.max(...waits)).toBe(retryBackoff.maxMs);
  });

  test("of the last attempt is the end", () => {
    expect(decideSetback(maxAttempts - 1, 0, Math.random).dead).toBe(false);
    expect(decideSetback(maxAttempts, 0, Math.random)).toEqual({ dead: true });
  });

  test("of one that was handed out behind others counts as its first", () => {
    expect(decideSetback(0, 5, () => 1)).toEqual({ dead: false, attempts: 1, dueAt: 5 + retryBackoff.baseMs });
  });
});

test("an inbox is full by the number of one hook, and by the bytes of all", () => {
  const [last, limit] = [maxWaitingPerHook - 1, maxWaitingBytesPerNode];
  expect(decideFullness({ hookCount: last, nodeBytes: limit - 10 }, 10)).toBeUndefined();
  expect(decideFullness({ hookCount: last + 1, nodeBytes: 0 }, 10)).toMatchObject({ code: "overloaded" });
  expect(decideFullness({ hookCount: 0, nodeBytes: limit - 9 }, 10)).toMatchObject({ code: "overloaded" });
});

describe("a rate", () => {
  const limit = { perSecond: 2, burst: 3 };

  test("allows a burst, and then as many as come back in a second", () => {
    const rates = new Rates();
    const takeAt = (now: number) => rates.take("a", limit, now);
    expect([0, 0, 0, 0, 499, 500, 500, 1_000].map(takeAt)).toEqual([true, true, true, false, false, true, false, true]);
    expect([60_000, 60_000, 60_000, 60_000].map(takeAt)).toEqual([true, true, true, false]);
  });

  test("is each name's own", () => {
    const rates = new Rates();
    for (let n = 0; n < 3; n++) rates.take("a", limit, 0);
    expect(rates.take("a", limit, 0)).toBe(false);
    expect(rates.take("b", limit, 0)).toBe(true);
  });

  test("is remembered of the newest thousand", () => {
    const rates = new Rates();
    for (let n = 0; n < 3; n++) rates.take("a", limit, 0);
    for (let n = 0; n < 999; n++) rates.take(`other ${n}`, limit, 0);
    expect(rates.take("a", limit, 0)).toBe(false);
    rates.take("one more", limit, 0);
    expect(rates.take("a", limit, 0)).toBe(true);
  });
});

describe("what looks like Signal's plaintext", () => {
  const envelope = { sourceUuid: "7b1f0f2e-9f4e-4a5e-8d8b-0a1b2c3d4e5f", timestamp: 1, dataMessage: { message: "hi" } };
  const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

  test.for<[string, unknown]>([
    ["a notification of signal-cli", { jsonrpc: "2.0", method: "receive", params: { envelope, account: "+1" } }],
    ["one of a subscription", { method: "receive", params: { subscription: 0, result: { envelope } } }],
    ["what its REST server posts", { envelope, account: "+1" }],
    ["a batch", [{ method: "other" }, { params: { envelope } }]],
    ["an envelope without a UUID", { envelope: { source: "+1", typingMessage: {} } }],
    ["an envelope behind a byte order mark", `\ufeff${JSON.stringify({ envelope })}`],
  ])("%s", ([, body]) => {
    expect(decideIsSignalPlaintext("application/json", bytes(body))).toBe(true);
    expect(decideIsSignalPlaintext(undefined, bytes(body))).toBe(true);
    expect(decideIsSignalPlaintext("application/jose+json; charset=utf-8", bytes(body))).toBe(false);
  });

  test.for<[string, unknown]>([
    ["another service's webhook", { ref: "refs/heads/main", repository: { name: "x" } }],
    ["an envelope of something else", { envelope: { id: 1 } }],
    ["no JSON", "envelope source"],
    ["nothing", ""],
    ["null", null],
    ["JSON without end", "[".repeat(100_000)],
    ["deep JSON", `${'{"params":'.repeat(200)}null${"}".repeat(200)}`],
  ])("is not %s", ([, body]) => {
    expect(decideIsSignalPlaintext("application/json", bytes(body))).toBe(false);
  });
});

test("of a webhook's headers those are kept that say what it is and who signed it", () => {
  const given = {
    "content-type": "application/json",
    "webhook-id": "msg_1",
    "x-hub-signature-256": "sha256=1",
    "stripe-signature": "t=1",
    authorization: "Bearer x",
    cookie: "a=b",
    "x-forwarded-for": "1.2.3.4",
    "cf-connecting-ip": "1.2.3.4",
  };
  const kept = ["content-type", "stripe-signature", "webhook-id", "x-hub-signature-256"];
  expect(Object.keys(keptHeaders(new Headers(given))).toSorted()).toEqual(kept);
  expect(() => keptHeaders(new Headers({ "webhook-x": "x".repeat(9_000) }))).toThrow("too-large");
});
