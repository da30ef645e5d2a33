import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Breaker, decideOpenMs, decideTrip, type Pass } from "../../../../tee-bot/gateway/providers/breaker.ts";

// The semantics are those of cockatiel's ConsecutiveBreaker and SamplingBreaker, with one probe while half-open; what
// differs is that an attempt is judged by whoever sees the first byte, not by a promise.
const longest = (): number => 1;
const now = 1_000_000;

function attempt(
  breaker: Breaker,
  at: number,
  outcome: "succeeded" | "failed",
  retryAfterMs?: number,
): Pass | undefined {
  const pass = breaker.admit(at);
  if (!pass) return undefined;
  if (outcome === "failed") breaker.failed(pass, at, retryAfterMs);
  else breaker.succeeded(pass, at);
  return pass;
}

function opened(at = now): Breaker {
  const breaker = new Breaker(longest);
  for (let failure = 0; failure < 3; failure++) attempt(breaker, at, "failed");
  return breaker;
}

describe("a breaker", () => {
  it("opens after three failures in a row, and not when a success is between them", () => {
    const breaker = new Breaker(longest);
    for (const outcome of ["failed", "failed", "succeeded", "failed", "failed"] as const)
      attempt(breaker, now, outcome);
    expect(breaker.view(now).state).toBe("closed");
    attempt(breaker, now, "failed");
    expect(breaker.view(now)).toEqual({ state: "open", retryInMs: 5_000, reason: "3 failures in a row" });
    expect(breaker.admit(now + 4_999)).toBeUndefined();
  });

  it("opens when half of ten attempts within 30 s failed, also when none were in a row", () => {
    const breaker = new Breaker(longest);
    for (let at = 0; at < 9; at++) attempt(breaker, now + at, at % 2 === 0 ? "succeeded" : "failed");
    expect(breaker.view(now).state).toBe("closed");
    attempt(breaker, now + 9, "failed");
    expect(breaker.view(now + 9)).toMatchObject({ state: "open", reason: "5 of 10 attempts failed" });
  });

  it("forgets what was more than half a minute ago", () => {
    const breaker = new Breaker(longest);
    for (let at = 0; at < 8; at++) attempt(breaker, now, at % 2 === 0 ? "succeeded" : "failed");
    attempt(breaker, now + 35_000, "succeeded");
    attempt(breaker, now + 35_000, "failed");
    expect(breaker.view(now + 35_000).state).toBe("closed");
  });

  it("lets exactly one call try after its time, and closes when that succeeds", () => {
    const breaker = opened();
    expect(breaker.view(now + 5_000)).toMatchObject({ state: "half-open", retryInMs: 0 });
    expect(breaker.admit(now + 5_000)).toBe("probe");
    expect(breaker.admit(now + 5_000)).toBeUndefined();
    expect(breaker.view(now + 5_000).retryInMs).toBeGreaterThan(0);
    breaker.succeeded("probe", now + 5_100);
    expect(breaker.view(now + 5_100).state).toBe("closed");
    expect(breaker.admit(now + 5_100)).toBe("call");
  });

  it("stays open twice as long after each failed probe, up to a quarter of a minute, and begins anew after a success", () => {
    const breaker = opened();
    let at = now;
    for (const openMs of [5_000, 10_000, 15_000, 15_000]) {
      expect(breaker.view(at)).toMatchObject({ state: "open", retryInMs: openMs });
      at += openMs;
      expect(attempt(breaker, at, "failed")).toBe("probe");
    }
    at += 15_000;
    attempt(breaker, at, "succeeded");
    for (let failure = 0; failure < 3; failure++) attempt(breaker, at, "failed");
    expect(breaker.view(at).retryInMs).toBe(5_000);
  });

  it("stays open for as long as a silent probe has waited, up to a minute", () => {
    const breaker = opened();
    let at = now + 5_000;
    for (const [tookMs, openMs] of [
      [30_000, 30_000],
      [300_000, 60_000],
      [10, 15_000],
    ] as const) {
      expect(breaker.admit(at)).toBe("probe");
      breaker.failed("probe", at + tookMs);
      expect(breaker.view(at + tookMs).retryInMs).toBe(openMs);
      at += tookMs + openMs;
    }
  });

  it("gives the try to another call when nobody learned anything from it", () => {
    const breaker = opened();
    expect(breaker.admit(now + 5_000)).toBe("probe");
    breaker.abandoned("probe");
    expect(breaker.admit(now + 5_000)).toBe("probe");
  });

  it("opens at once for as long as it is asked to, up to a minute", () => {
    for (const [asked, held] of [
      [7_000, 7_000],
      [3_600_000, 60_000],
      [-5, 0],
    ] as const) {
      const breaker = new Breaker(longest);
      attempt(breaker, now, "failed", asked);
      expect(breaker.view(now).retryInMs).toBe(held);
    }
  });

  it("learns nothing from calls that began before it opened", () => {
    const breaker = new Breaker(longest);
    const early = breaker.admit(now);
    for (let failure = 0; failure < 3; failure++) attempt(breaker, now, "failed");
    breaker.succeeded(early ?? "call", now + 1);
    breaker.failed(early ?? "call", now + 2);
    expect(breaker.view(now + 2)).toMatchObject({ state: "open", retryInMs: 4_998 });
  });

  it("is not kept open by a clock that is set back", () => {
    const breaker = opened();
    expect(breaker.view(now - 86_400_000).retryInMs).toBe(60_000);
  });

  it("has at most one probe, and never waits longer than a minute, whatever happens in whatever order", () => {
    const step = fc.record({
      afterMs: fc.nat(20_000),
      what: fc.constantFrom("admit", "succeeded", "failed", "abandoned"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.double({ min: 0, max: 1, noNaN: true }), (steps, random) => {
        const breaker = new Breaker(() => random);
        const under: Pass[] = [];
        let at = now;
        for (const { afterMs, what } of steps) {
          at += afterMs;
          if (what === "admit") {
            const wasClosed = breaker.view(at).state === "closed";
            const pass = breaker.admit(at);
            if (pass) under.push(pass);
            expect(pass === "call").toBe(wasClosed);
          } else {
            const pass = under.shift();
            if (pass && what === "abandoned") breaker.abandoned(pass);
            else if (pass && what === "failed") breaker.failed(pass, at);
            else if (pass) breaker.succeeded(pass, at);
          }
          const { state, retryInMs } = breaker.view(at);
          if (state !== "closed") expect(under.filter((pass) => pass === "probe").length).toBeLessThanOrEqual(1);
          expect(retryInMs).toBeLessThanOrEqual(60_000);
        }
      }),
    );
  });
});

describe("the rules of a breaker", () => {
  it("say why it opens", () => {
    expect(decideTrip({ inRow: 2, succeeded: 0, failed: 2 })).toBeUndefined();
    expect(decideTrip({ inRow: 3, succeeded: 90, failed: 3 })).toBe("3 failures in a row");
    expect(decideTrip({ inRow: 0, succeeded: 6, failed: 5 })).toBeUndefined();
    expect(decideTrip({ inRow: 0, succeeded: 5, failed: 5 })).toBe("5 of 10 attempts failed");
  });

  it("spread the ends of its time", () => {
    expect(decideOpenMs(0, {}, () => 0)).toBe(500);
    expect(decideOpenMs(1, {}, () => 0.5)).toBe(5_500);
    expect(decideOpenMs(50, {}, () => 1)).toBe(15_000);
  });
});
