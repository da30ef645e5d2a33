import { describe, expect, it } from "vitest";
import { failureOfAnswer, failureOfMember, parseRetryAfterMs, type Asked } from "../../../shared/acme/failure.ts";

const prefix = "urn:ietf:params:acme:error:";
const problem = (type: string, status: number, contentType = "application/problem+json") => ({
  status,
  contentType,
  body: { type: prefix + type, detail: "some\n  detail", status },
});

describe("an answer of a CA that is no success", () => {
  it.each<[kind: string, status: number, type: string, asked: Asked]>([
    ["rate-limited", 429, "rateLimited", "new-order"],
    ["rate-limited", 403, "rateLimited", "new-order"],
    ["rate-limited", 429, "malformed", "part"],
    ["unavailable", 503, "serverInternal", "part"],
    ["unavailable", 400, "badNonce", "part"],
    ["account", 400, "accountDoesNotExist", "part"],
    ["account", 403, "unauthorized", "new-order"],
    ["gone", 403, "unauthorized", "part"],
    ["gone", 404, "malformed", "part"],
    ["gone", 404, "malformed", "renewal-info"],
    ["unavailable", 404, "malformed", "new-order"],
    ["refused", 400, "rejectedIdentifier", "new-order"],
    ["refused", 409, "alreadyReplaced", "new-order"],
    ["refused", 403, "orderNotReady", "part"],
  ])("is %s for status %i, type %s, asked for %s", (kind, status, type, asked) => {
    expect(failureOfAnswer(problem(type, status), asked)).toEqual({ kind, type, status, detail: "some detail" });
  });

  it("says that it is the account when its key is refused", () => {
    expect(failureOfAnswer(problem("unauthorized", 403), "account")).toEqual({
      kind: "refused",
      status: 403,
      detail: "the account's key is not accepted any more: some detail",
    });
  });

  it("says the status where the CA says nothing", () => {
    const answer = { status: 503, contentType: "text/html", body: undefined, retryAfterMs: 5_000 };
    expect(failureOfAnswer(answer, "part")).toEqual({
      kind: "unavailable",
      status: 503,
      retryAfterMs: 5_000,
      detail: "The CA answered with status 503.",
    });
  });

  it("is not taken for the CA's own when a proxy on the way has no such page", () => {
    expect(
      failureOfAnswer({ status: 404, contentType: "text/html; charset=utf-8", body: undefined }, "part").kind,
    ).toBe("unavailable");
    expect(failureOfAnswer({ status: 404, contentType: "", body: undefined }, "part").kind).toBe("gone");
  });

  it("shows no more than 500 characters of what the CA says", () => {
    const long = {
      status: 400,
      contentType: "application/problem+json",
      body: { type: "x", detail: "y".repeat(10_000) },
    };
    expect(failureOfAnswer(long, "part").detail).toHaveLength(500);
  });
});

describe("the error of an order or a challenge", () => {
  it("keeps the CA's type and words", () => {
    const error = { type: `${prefix}caa`, detail: "CAA forbids", status: 403, subproblems: [] };
    expect(failureOfMember(error)).toEqual({ kind: "refused", type: "caa", status: 403, detail: "CAA forbids" });
  });

  it.each([
    ["nothing", undefined, undefined],
    ["null", null, undefined],
    ["a text", "no", "The CA gave no reason."],
  ])("is read from %s", (_, error, detail) => {
    expect(failureOfMember(error)?.detail).toBe(detail);
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 10, 21, 12);

  it.each([
    ["120", 120_000],
    [" 7 ", 7_000],
    ["0", 0],
    ["Sat, 21 Nov 2026 12:01:00 GMT", 60_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["-5x", undefined],
    ["", undefined],
    [null, undefined],
  ])("%j is %s", (header, ms) => {
    expect(parseRetryAfterMs(header, now)).toBe(ms);
  });
});
