import { describe, expect, it } from "vitest";
import { failed, pass, skip } from "../../../../shared/attestation/check.ts";
import type { ModelReport } from "../../../../tee-bot/attestation/near/model-report.ts";
import {
  decideModelStanding,
  distrust,
  distrustMs,
  maxAgeMs,
  refusedRetryMs,
  reverifyMs,
  unseenStanding,
  type ModelStanding,
} from "../../../../tee-bot/attestation/near/model-standing.ts";

const half = (): number => 0.5;
const report = (verdict: ModelReport["verdict"], at: number, checks = [pass("model-quote", "Good.")]): ModelReport => ({
  model: "m",
  at,
  verdict,
  checks,
  keys: [{ algorithm: "ecdsa", address: "aa".repeat(20) }],
  measured: [],
  gatewayKey: undefined,
  evidence: new Uint8Array(),
});
const bad = (at: number) => report("refused", at, [failed("model-key", "Another key.")]);
const look = (before: ModelStanding, seen: ModelReport | string, now: number) =>
  decideModelStanding(before, seen, now, half);
const verified = look(unseenStanding(0), report("verified", 1_000), 1_000);

describe("a model's standing", () => {
  it("is a claim until somebody has looked", () => {
    expect(unseenStanding(7)).toMatchObject({ state: "claimed", dueAt: 7 });
  });

  it("is verified by a good report, and due again in half an hour", () => {
    expect(verified).toMatchObject({
      state: "verified",
      reason: undefined,
      dueAt: 1_000 + reverifyMs,
      checkedAt: 1_000,
    });
    expect(verified.report?.keys).toHaveLength(1);
  });

  it("of a simulator says so", () => {
    expect(look(unseenStanding(0), report("simulated", 1), 1).state).toBe("simulated");
  });

  it("is refused by a bad report at once, whatever it was, and looked at again soon", () => {
    const now = 2_000;
    expect(look(verified, bad(now), now)).toMatchObject({
      state: "refused",
      reason: "model-key: Another key.",
      report: undefined,
      dueAt: now + refusedRetryMs,
    });
  });

  it("stays verified while nobody can look, for an hour and no longer", () => {
    const later = look(verified, "no answer", 1_000 + reverifyMs);
    expect(later).toMatchObject({ state: "verified", failures: 1 });
    const atEnd = look({ ...later, failures: 20 }, "no answer", 1_000 + maxAgeMs - 1);
    expect(atEnd).toMatchObject({ state: "verified", dueAt: 1_000 + maxAgeMs });
    expect(look(atEnd, "no answer", 1_000 + maxAgeMs)).toMatchObject({
      state: "claimed",
      reason: "no answer",
      report: undefined,
    });
  });

  it("takes a report that lacks something for no look", () => {
    const unknown = report("unknown", 5, [skip("model-quote", "No collateral."), skip("model-gpu", "No GPU.")]);
    expect(look(unseenStanding(0), unknown, 5)).toMatchObject({
      state: "claimed",
      reason: "model-quote: No collateral.",
    });
  });

  it("stays refused until there is a good report: silence does not clear it", () => {
    const refused = look(verified, bad(2_000), 2_000);
    expect(look(refused, "no answer", 2_000 + 10 * maxAgeMs).state).toBe("refused");
    expect(look(refused, report("verified", 3_000), 3_000).state).toBe("verified");
  });

  it("asks less and less often while nothing comes, but never less than every ten minutes", () => {
    let standing = unseenStanding(0);
    const waits: number[] = [];
    for (let at = 0; at < 12; at++) {
      standing = look(standing, "no answer", 0);
      waits.push(standing.dueAt);
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits[0]).toBeGreaterThan(1_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(10 * 60_000);
  });

  it("is refused for an hour after a wrong answer, though its evidence be good", () => {
    const now = 5_000;
    const out = distrust(verified, "answer-signature: Other bytes.", now);
    expect(out).toMatchObject({ state: "refused", reason: "answer-signature: Other bytes." });
    const again = look(out, report("verified", now + 1), now + 1);
    expect(again).toMatchObject({ state: "refused", reason: "answer-signature: Other bytes." });
    expect(look(again, report("verified", 9), now + distrustMs).state).toBe("verified");
  });
});
