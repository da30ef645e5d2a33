import { describe, expect, it } from "vitest";
import { formatReset, rateHeaders } from "../../../../tee-bot/gateway/access/rate-headers.ts";
import { TokenBucket } from "../../../../tee-bot/gateway/access/token-bucket.ts";

describe("the headers of limits", () => {
  it("say what there is, what is left, and when it is whole again", () => {
    const requests = new TokenBucket(60, 0);
    const tokens = new TokenBucket(6_000, 0);
    requests.take(1, 0);
    tokens.take(6_100, 0);
    expect(rateHeaders(requests, tokens, 0)).toEqual([
      "x-ratelimit-limit-requests",
      "60",
      "x-ratelimit-remaining-requests",
      "59",
      "x-ratelimit-reset-requests",
      "1s",
      "x-ratelimit-limit-tokens",
      "6000",
      "x-ratelimit-remaining-tokens",
      "0",
      "x-ratelimit-reset-tokens",
      "1m1s",
    ]);
    expect(rateHeaders(undefined, tokens, 0)).toHaveLength(6);
    expect(rateHeaders(undefined, undefined, 0)).toEqual([]);
  });

  it.each([
    [0, "0ms"],
    [119.2, "120ms"],
    [999, "999ms"],
    [1_001, "2s"],
    [360_000, "6m0s"],
    [3_723_000, "1h2m3s"],
    [3_600_000, "1h0m0s"],
  ])("tell %d ms as %s", (ms, text) => {
    expect(formatReset(ms)).toBe(text);
  });
});
