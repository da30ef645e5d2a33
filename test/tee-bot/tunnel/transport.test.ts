import { describe, expect, test } from "vitest";
import {
  betterThan,
  decideAfterUnreachable,
  decideRetryMs,
  isPoolUnfit,
  nextTransport,
} from "../../../tee-bot/tunnel/transport.ts";

describe("the rules of transports", () => {
  test("fall back from the pool to TLS, from TLS to HTTP/2, and from there nowhere", () => {
    expect([nextTransport("pool"), nextTransport("tls"), nextTransport("http2")]).toEqual(["tls", "http2", undefined]);
  });

  test("try again what is better than the transport in use, the best first", () => {
    expect([betterThan("pool"), betterThan("tls"), betterThan("http2")]).toEqual([[], ["pool"], ["pool", "tls"]]);
  });

  test.each([
    [{ failed: 0, missed: 0 }, false],
    [{ failed: 7, missed: 3 }, false],
    [{ failed: 8, missed: 0 }, true],
    [{ failed: 0, missed: 4 }, true],
  ])("judge a pool by its connections in a row: %o", (evidence, unfit) => {
    expect(isPoolUnfit(evidence)).toBe(unfit);
  });

  test("try again after 8 to 12 minutes", () => {
    expect([decideRetryMs(() => 0), decideRetryMs(() => 0.5), decideRetryMs(() => 1)]).toEqual([
      480_000, 600_000, 720_000,
    ]);
  });

  test("start again from the best when a fallback does not even reach the relay", () => {
    expect(decideAfterUnreachable("http2", 2)).toBe("http2");
    expect(decideAfterUnreachable("http2", 3)).toBe("pool");
  });
});
