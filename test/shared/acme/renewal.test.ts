import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideNextLookMs, decideRenewalPlan } from "../../../shared/acme/renewal.ts";

const dayMs = 86_400_000;
const notBefore = Date.UTC(2026, 10, 21);
const lifetimes = [6, 64, 90];
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe.each(lifetimes)("a certificate of %i days", (days) => {
  const notAfter = notBefore + days * dayMs;

  it("is renewed at two thirds of its lifetime, a little earlier or later", () => {
    const at = (random: number) =>
      (decideRenewalPlan({ notBefore, notAfter, now: notBefore, random: () => random }).at - notBefore) /
      (days * dayMs);
    expect(at(0.5)).toBeCloseTo(2 / 3, 5);
    fc.assert(
      fc.property(anyRandom, (random) => {
        expect(at(random)).toBeGreaterThanOrEqual(2 / 3 - 0.0251);
        expect(at(random)).toBeLessThanOrEqual(2 / 3 + 0.0251);
      }),
    );
    expect(at(0.999)).toBeGreaterThan(at(0));
  });

  it("is renewed at a random time in the CA's window", () => {
    const [from, to] = [notBefore + days * dayMs * 0.6, notBefore + days * dayMs * 0.7];
    const info = { from, to, retryAfterMs: 0 };
    fc.assert(
      fc.property(anyRandom, (random) => {
        const plan = decideRenewalPlan({ notBefore, notAfter, now: notBefore, info, random: () => random });
        expect(plan).toEqual({ at: Math.round(from + (to - from) * random), source: "ari", from, to });
      }),
    );
  });
});

describe("a plan to renew", () => {
  const notAfter = notBefore + 90 * dayMs;
  const certificate = { notBefore, notAfter };
  const info = {
    from: notBefore + 50 * dayMs,
    to: notBefore + 52 * dayMs,
    explanationUrl: "https://ca.example/",
    retryAfterMs: 0,
  };
  const plan = decideRenewalPlan({ ...certificate, now: notBefore, info, random: () => 0.25 });

  it("stays as long as the window does", () => {
    const again = decideRenewalPlan({ ...certificate, now: notBefore + dayMs, info, plan, random: () => 0.9 });
    expect(again).toEqual(plan);
    expect(again.explanationUrl).toBe("https://ca.example/");
  });

  it("stays when the CA does not answer any more, and when there was none", () => {
    expect(decideRenewalPlan({ ...certificate, now: notBefore, plan, random: () => 0.9 })).toEqual(plan);
    const own = decideRenewalPlan({ ...certificate, now: notBefore, random: () => 0.1 });
    expect(decideRenewalPlan({ ...certificate, now: notBefore, plan: own, random: () => 0.9 })).toEqual(own);
  });

  it("is made anew when the window moves", () => {
    const moved = { ...info, from: info.from - 30 * dayMs, to: info.to - 30 * dayMs };
    const next = decideRenewalPlan({ ...certificate, now: notBefore, info: moved, plan, random: () => 0.25 });
    expect(next.at).toBe(plan.at - 30 * dayMs);
  });

  it("is for now when the window has passed, as after a revocation", () => {
    const now = info.to + 5 * dayMs;
    expect(decideRenewalPlan({ ...certificate, now, info, random: () => 0.9 }).at).toBeLessThanOrEqual(now);
  });

  it("leaves time for another try when the window is too late to be meant", () => {
    const late = { ...info, from: notAfter - dayMs, to: notAfter + 30 * dayMs };
    const { at } = decideRenewalPlan({ ...certificate, now: notBefore, info: late, random: () => 0.9 });
    expect(at).toBe(notBefore + 81 * dayMs);
  });

  it("is looked at soon after the issue, then when the CA wants to be asked, hourly when it does not answer", () => {
    expect(decideNextLookMs("none yet")).toBe(30_000);
    expect(decideNextLookMs({ ...info, retryAfterMs: 21_600_000 })).toBe(21_600_000);
    expect(decideNextLookMs("failed")).toBe(3_600_000);
  });
});
