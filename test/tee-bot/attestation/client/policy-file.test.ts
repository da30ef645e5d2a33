import { describe, expect, it } from "vitest";
import { policySchema } from "../../../../shared/attestation/policy.ts";
import { readPolicy } from "../../../../tee-bot/attestation/client/policy-file.ts";

const hash = "ab".repeat(32);
const mistakesIn = (text: string): string[] => {
  const read = readPolicy("policy.yaml", text);
  return read.ok ? [] : read.mistakes;
};

describe("a policy file", () => {
  it("pins what it names and leaves the rest strict", () => {
    const read = readPolicy("policy.yaml", `# of 2026\ncompose: [${hash}]\ntcb: [UpToDate, SWHardeningNeeded]\n`);
    expect(read).toEqual({
      ok: true,
      policy: policySchema.parse({ compose: [hash], tcb: ["UpToDate", "SWHardeningNeeded"] }),
    });
    expect(readPolicy("policy.yaml", "")).toEqual({ ok: true, policy: policySchema.parse({}) });
  });

  it("may be JSON", () => {
    const read = readPolicy("policy.json", JSON.stringify({ node: hash, required: ["nonce"] }));
    expect(read).toMatchObject({ ok: true, policy: { node: hash, required: ["nonce"] } });
  });

  it("tells every mistake with its place and what to do", () => {
    expect(mistakesIn(`compse: [${hash}]\ntcb: [UpToDate, Revoked]\nos:\n  - name: x\n    mrtd: abc\n`)).toEqual([
      "policy.yaml:1:1 compse: there is no such setting · did you mean compose?",
      expect.stringMatching(/^policy\.yaml:2:17 tcb\[1\]: not a value it can have · give one of UpToDate, /),
      expect.stringMatching(/^policy\.yaml:4:5 os\[0\]\.rtmr1: it is missing · give text$/),
      expect.stringMatching(/^policy\.yaml:4:5 os\[0\]\.rtmr2: it is missing · give text$/),
      expect.stringMatching(/^policy\.yaml:5:11 os\[0\]\.mrtd: not of the right form · /),
    ]);
    expect(mistakesIn("os:\n  - name: x\n    rtmr9: y\n").join("\n")).toContain(
      "os[0].rtmr9: there is no such setting · did you mean rtmr1?",
    );
  });

  it("that is no YAML is refused with the line", () => {
    expect(mistakesIn("compose: [")[0]).toMatch(/^policy\.yaml:1:\d+ not YAML/);
  });
});
