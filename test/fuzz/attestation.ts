/**
 * `npm run fuzz:attestation`: looks for evidence that makes a reader throw something else than a refusal, take long, or
 * accept what nobody has signed. Bounded by FUZZ_SECONDS (30); FUZZ_SEED repeats a run.
 */
import { fuzzAttestation } from "./fuzz-attestation.ts";

const seconds = Number(process.env["FUZZ_SECONDS"] ?? 30);
const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 32);
if (!(seconds > 0 && seconds <= 3600) || !Number.isInteger(seed)) {
  console.error("FUZZ_SECONDS is more than 0 and at most 3600; FUZZ_SEED is a whole number.");
  process.exit(2);
}

console.log(`fuzzing the readers of evidence for ${seconds} s, FUZZ_SEED=${seed}`);
const report = await fuzzAttestation({ seed, inputs: Number.POSITIVE_INFINITY, durationMs: seconds * 1000 });
console.log(JSON.stringify(report, null, 2));
process.exitCode = report.failures.length > 0 ? 1 : 0;
