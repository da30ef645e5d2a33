import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { judgeGpuEvidence } from "../../../../shared/attestation/dstack/gpu-evidence.ts";

const output = (...claims: readonly object[]): string => JSON.stringify({ claims });
const good = output({ measres: "success", hwmodel: "GH100 A01 GSP BROM" });
const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

describe("GPU evidence", () => {
  it.each([
    ["bytes", sha256(good)],
    ["hex", Buffer.from(sha256(good).toString("hex"))],
    ["JSON", Buffer.from(JSON.stringify({ evidence_sha256: sha256(good).toString("hex") }))],
  ])("is good when its digest was measured, as %s", async (_, measured) => {
    expect(await judgeGpuEvidence(measured, good)).toEqual({ gpus: ["GH100 A01 GSP BROM"] });
  });

  it.each([
    ["another text was measured", sha256(`${good} `), good, /not the one/],
    ["what was measured is no digest", Buffer.from("x"), good, /not the one/],
    ["it has no claims", sha256("{}"), "{}", /no claims/],
    ["it has claims of nothing", sha256(output()), output(), /no claims/],
    ["a GPU was refused", undefined, output({ measres: "success" }, { measres: "fail" }), /refused/],
  ])("is refused when %s", async (_, measured, shown, sentence) => {
    expect(await judgeGpuEvidence(measured ?? sha256(shown), shown)).toEqual({
      fault: expect.stringMatching(sentence) as string,
    });
  });
});
