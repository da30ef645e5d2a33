import { describe, expect, it } from "vitest";
import { failed, pass, skip } from "../../../shared/attestation/check.ts";
import type { NodeReport } from "../../../tee-bot/attestation/verify/verification.ts";
import { formatVerification } from "../../../tee-bot/cli/verify-view.ts";

const report: NodeReport = {
  verdict: "verified",
  reason: "This connection to demo.example.net ends in a TEE that runs the code below.",
  checks: [pass("nonce", "It is ours."), skip("gpu", "There is none.")],
  required: ["nonce"],
  notProven: ["What the code does."],
  measured: {
    reportData: "00".repeat(64),
    mrtd: "01",
    rtmr: ["02", "03", "04", "05"],
    composeHash: "ab".repeat(32),
    appId: "cd".repeat(20),
    keyProvider: { name: "kms", id: "ef" },
    tcbStatus: "UpToDate",
    advisories: ["INTEL-SA-00001"],
    simulated: false,
  },
  shown: undefined,
};
const view = (changes: Partial<NodeReport> = {}, color = false): string =>
  formatVerification(
    {
      report: { ...report, ...changes },
      observation: undefined,
      subject: "demo.example.net",
      isRecorded: false,
      hints: [],
    },
    color,
  );

describe("a verification as a person reads it", () => {
  it("has the verdict, why, the checks, what runs there and what is open, in this order", () => {
    expect(view()).toBe(`VERIFIED  demo.example.net
This connection to demo.example.net ends in a TEE that runs the code below.

  PASS  The evidence answers this very question
        It is ours.
  SKIP  The GPU's own evidence is good
        There is none.

What runs there:
  compose      sha256:${"ab".repeat(32)}
  application  ${"cd".repeat(20)}
  mrtd         01
  rtmr1        03
  rtmr2        04
  firmware     UpToDate, INTEL-SA-00001
  keys from    kms ef

Not proven by this:
  - What the code does.
`);
  });

  it("marks what was required and could not be looked at", () => {
    expect(view({ verdict: "unknown", required: ["gpu"] })).toContain(
      "SKIP  The GPU's own evidence is good  (required)\n",
    );
  });

  it.each(["refused", "unknown"] as const)("says nothing of what runs there when the verdict is %s", (verdict) => {
    expect(view({ verdict })).not.toContain("What runs there");
  });

  it("is green only where it is verified", () => {
    const escape = String.fromCharCode(27);
    const first = (verdict: NodeReport["verdict"]): string => view({ verdict }, true).split("\n")[0] ?? "";
    expect(first("verified")).toBe(`${escape}[32mVERIFIED${escape}[0m  demo.example.net`);
    expect(first("simulated")).toBe(`${escape}[33mSIMULATED${escape}[0m  demo.example.net`);
    expect(first("unknown")).toBe(`${escape}[33mCOULD NOT CHECK${escape}[0m  demo.example.net`);
    expect(first("refused")).toBe(`${escape}[31mREFUSED${escape}[0m  demo.example.net`);
    expect(view({ checks: [failed("nonce", "no")] }, true)).toContain(`${escape}[31mFAIL${escape}[0m`);
  });
});
