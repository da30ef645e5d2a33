import { createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decideEarliest, decideRenewal, decideUrgency, renewalTime } from "../../../tee-bot/certificate/renewal.ts";
import { issue, leafOf, newTlsKey } from "../support/issue.ts";

const key = newTlsKey();
const spki = createPublicKey(key).export({ type: "spki", format: "der" });
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const notBefore = Date.UTC(2026, 0, 1);

async function certificate(lifetimeMs: number, hostnames = ["alice.test", "own.test"]) {
  return leafOf(await issue(key, { hostnames, notBefore, notAfter: notBefore + lifetimeMs }));
}

describe("decideRenewal", () => {
  it("orders the first certificate", () => {
    expect(decideRenewal(undefined, { hostnames: ["a.test"], spki }, notBefore)).toEqual({
      kind: "order",
      reason: "there is none yet",
    });
  });

  const ages: [days: number, age: number, decision: "keep" | "order"][] = [
    [90, 0, "keep"],
    [90, 59.9, "keep"],
    [90, 60, "order"],
    [90, 91, "order"],
    [6, 3.9, "keep"],
    [6, 4, "order"],
    [6, 7, "order"],
  ];
  it.each(ages)("of one for %d days that is %d days old says %s", async (days, age, decision) => {
    const held = await certificate(days * dayMs);
    expect(decideRenewal(held, { hostnames: ["own.test"], spki }, notBefore + age * dayMs).kind).toBe(decision);
  });

  it("looks again when two thirds are over, and after an hour at the latest", async () => {
    const wanted = { hostnames: ["own.test"], spki };
    const held = await certificate(6 * dayMs);
    expect(decideRenewal(held, wanted, notBefore)).toEqual({ kind: "keep", checkAgainInMs: hourMs });
    const late = notBefore + 4 * dayMs - 60_000;
    expect(decideRenewal(held, wanted, late)).toEqual({ kind: "keep", checkAgainInMs: 60_000 });
  });

  it("orders anew when a name is missing, and names it", async () => {
    const held = await certificate(90 * dayMs);
    const decision = decideRenewal(held, { hostnames: ["alice.test", "bob.test"], spki }, notBefore);
    expect(decision).toEqual({ kind: "order", reason: "the one held does not cover bob.test" });
  });

  it("keeps one that covers more than is wanted", async () => {
    expect(decideRenewal(await certificate(90 * dayMs), { hostnames: ["own.test"], spki }, notBefore).kind).toBe(
      "keep",
    );
  });

  it("does not take a name below another for covered, nor a wildcard for two labels", async () => {
    const held = await certificate(90 * dayMs, ["own.test", "*.wild.test"]);
    const decide = (name: string) => decideRenewal(held, { hostnames: [name], spki }, notBefore).kind;
    expect(decide("a.own.test")).toBe("order");
    expect(decide("a.wild.test")).toBe("keep");
    expect(decide("a.b.wild.test")).toBe("order");
  });

  it("orders anew when the one held is for another key", async () => {
    const other = createPublicKey(newTlsKey()).export({ type: "spki", format: "der" });
    const held = await certificate(90 * dayMs);
    expect(decideRenewal(held, { hostnames: ["own.test"], spki: other }, notBefore)).toEqual({
      kind: "order",
      reason: "the one held is for another key",
    });
  });
});

describe("renewalTime", () => {
  const lifetimes: [days: number][] = [[6], [64], [90]];
  const at = (days: number, wish = {}): number =>
    (renewalTime({ notBefore, notAfter: notBefore + days * dayMs }, wish) - notBefore) / (days * dayMs);

  it.each(lifetimes)("of %d days is at two thirds without a plan, spread by jitter", (days) => {
    expect(at(days, { jitter: 0 })).toBeCloseTo(2 / 3 - 0.025);
    expect(at(days, { jitter: 0.5 })).toBeCloseTo(2 / 3);
    expect(at(days, { jitter: 1 })).toBeCloseTo(2 / 3 + 0.025);
  });

  it.each(lifetimes)("of %d days is that of the plan, but never past four fifths", (days) => {
    expect(at(days, { plannedAt: notBefore + 0.3 * days * dayMs, jitter: 1 })).toBeCloseTo(0.3);
    expect(at(days, { plannedAt: notBefore + 0.9 * days * dayMs })).toBeCloseTo(0.8);
  });

  it.each(lifetimes)("of %d days is when it may be, whatever the plan, but never past four fifths", (days) => {
    expect(at(days, { plannedAt: 0 })).toBeLessThan(0);
    expect(at(days, { plannedAt: 0, earliestAt: notBefore + 0.2 * days * dayMs })).toBeCloseTo(0.2);
    expect(at(days, { plannedAt: 0, earliestAt: notBefore + 7 * days * dayMs })).toBeCloseTo(0.8);
  });

  it("is not before a day after the third newest certificate, so that a CA is not asked for ever more", () => {
    const now = notBefore + 30 * dayMs;
    const hoursAgo = (...hours: number[]): number[] => hours.map((ago) => now - ago * hourMs);
    expect(decideEarliest([], now)).toBe(0);
    expect(decideEarliest(hoursAgo(5, 1), now)).toBe(0);
    expect(decideEarliest(hoursAgo(300, 5, 3, 1), now)).toBe(now + 19 * hourMs);
    expect(decideEarliest(hoursAgo(5, 1, -1_000), now)).toBe(0); // from before the clock was put right
  });

  it("follows a plan that has passed at once, as when the CA is about to revoke", async () => {
    const held = await certificate(90 * dayMs);
    const wish = { hostnames: ["own.test"], spki, plannedAt: notBefore + dayMs };
    expect(decideRenewal(held, wish, notBefore + 2 * dayMs).kind).toBe("order");
  });
});

describe("decideUrgency", () => {
  const stages: [age: number, urgency: string][] = [
    [0, "calm"],
    [0.69, "calm"],
    [0.71, "soon"],
    [0.89, "soon"],
    [0.91, "urgent"],
    [1, "over"],
    [2, "over"],
  ];
  it.each(stages)("at %d of the lifetime is %s", (age, urgency) => {
    expect(decideUrgency({ notBefore: 0, notAfter: 1_000 }, age * 1_000)).toBe(urgency);
  });
});
