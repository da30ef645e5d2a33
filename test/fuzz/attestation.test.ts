import { expect, it } from "vitest";
import { fuzzAttestation } from "./fuzz-attestation.ts";

const slow = process.env["SLOW"] === "1";
const limits = slow ? { inputs: 200_000, durationMs: 120_000 } : { inputs: 20_000, durationMs: 6000 };

it(
  "readers of evidence refuse what was changed at random, with a sentence and soon",
  { timeout: 150_000 },
  async () => {
    const report = await fuzzAttestation({ seed: Date.now() % 2 ** 32, ...limits });
    expect(report.failures, `FUZZ_SEED=${report.seed}`).toEqual([]);
    expect(Object.keys(report.sentences).length, "kinds of answers reached").toBeGreaterThan(40);
  },
);
