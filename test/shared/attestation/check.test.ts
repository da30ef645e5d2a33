import { describe, expect, it } from "vitest";
import { checkIds, checkTitles, decideVerdict, failed, pass, skip } from "../../../shared/attestation/check.ts";
import { defaultRequired } from "../../../shared/attestation/policy.ts";

const required = ["nonce", "keyset"] as const;
const good = [pass("nonce", ""), pass("keyset", "")];

describe("the verdict over checks", () => {
  it("is verified where all that is required passed, whatever else was skipped", () => {
    expect(decideVerdict([...good, skip("gpu", "")], required, false)).toBe("verified");
  });

  it("is simulated, never verified, under a simulator's root", () => {
    expect(decideVerdict(good, required, true)).toBe("simulated");
  });

  it("is refused where anything failed, required or not, under whatever root", () => {
    for (const simulated of [false, true])
      expect(decideVerdict([...good, failed("gpu", "")], required, simulated)).toBe("refused");
    expect(decideVerdict([skip("nonce", ""), failed("keyset", "")], required, false)).toBe("refused");
  });

  it("is unknown where something required was skipped, or is missing", () => {
    expect(decideVerdict([pass("nonce", ""), skip("keyset", "")], required, false)).toBe("unknown");
    expect(decideVerdict([pass("nonce", "")], required, false)).toBe("unknown");
    expect(decideVerdict([], required, true)).toBe("unknown");
  });
});

describe("the checks that are required by default", () => {
  it("tie quote, code, connection and name together", () => {
    expect(defaultRequired).toEqual(
      expect.arrayContaining(["quote-signature", "event-log", "compose", "keyset", "connection-exporter", "name"]),
    );
    for (const id of defaultRequired) expect(checkIds).toContain(id);
    expect(Object.values(checkTitles).every((title) => /^[A-Z]/.test(title))).toBe(true);
  });
});
