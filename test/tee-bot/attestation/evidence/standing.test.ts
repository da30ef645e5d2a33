import { describe, expect, it } from "vitest";
import { failed, pass, skip, type Check } from "../../../../shared/attestation/check.ts";
import { quoteRequired } from "../../../../shared/attestation/policy.ts";
import { AppError } from "../../../../shared/errors.ts";
import {
  decideServing,
  decideStanding,
  standingOfError,
  type Standing,
} from "../../../../tee-bot/attestation/evidence/standing.ts";

const spkiSha256 = "aa".repeat(32);
const at = 1_000;
const all = quoteRequired.map((id) => pass(id, "It is so."));
const without = (id: string): Check[] => all.filter((check) => check.id !== id);
const decide = (checks: Check[], simulated = false): Standing => decideStanding(checks, { spkiSha256, simulated, at });

describe("the standing of a node's own evidence", () => {
  it("is good when every check that needs no visitor passes, under a simulator's root too", () => {
    expect(decide(all)).toEqual({ state: "good", spkiSha256, at });
    expect(decide([...all, skip("gpu", "There is none.")], true)).toMatchObject({ state: "good" });
  });

  it.each(quoteRequired)("is bad without %s, failed or not looked at, and says what to do", (id) => {
    for (const check of [failed(id, "It is not so."), skip(id, "It could not be looked at.")]) {
      const standing = decide([...without(id), check]);
      expect(standing).toMatchObject({ state: "bad" });
      if (standing.state !== "bad") continue;
      expect(standing.trouble.detail).toContain(id);
      expect(standing.trouble.detail).toContain(check.detail);
      expect(standing.trouble.remedy).toMatch(/^[A-Z].*\.$/);
    }
    expect(decide(without(id))).toMatchObject({ state: "bad" });
  });

  it("is bad when something fails that is not required", () => {
    expect(decide([...all, failed("gpu", "It is another one.")])).toMatchObject({ state: "bad" });
  });

  it("is bad when there is no evidence, and says why", () => {
    const gone = standingOfError(new AppError("tee-absent", "There is no guest agent at /run/x.sock."), at);
    expect(gone).toMatchObject({ state: "bad", trouble: { detail: expect.stringContaining("/run/x.sock") as string } });
  });
});

describe("a certificate", () => {
  const good = decide(all);
  const bad = decide([]);

  it("is served whatever the standing where no evidence is required", () => {
    for (const standing of [good, bad, { state: "unknown" } as const])
      expect(decideServing(false, standing, spkiSha256)).toBe(true);
  });

  it("is served only with evidence that names its key where it is required", () => {
    expect(decideServing(true, good, spkiSha256)).toBe(true);
    expect(decideServing(true, good, "bb".repeat(32))).toBe(false);
    expect(decideServing(true, bad, spkiSha256)).toBe(false);
    expect(decideServing(true, { state: "unknown" }, spkiSha256)).toBe(false);
  });
});
