import { pass } from "../../../shared/attestation/check.ts";
import { verifyQuote } from "../../../tee-bot/attestation/verify/verify-quote.ts";
import type { VerifyQuote } from "../../../tee-bot/attestation/verify/verification.ts";

/**
 * The verifier itself, but for one thing: it takes a simulator's root as if it were Intel's, for nobody here can sign under
 * that one. So tests see what becomes of evidence that is verified; everything else in it is judged as ever.
 */
export const verifyAsIfHardware: VerifyQuote = async (subject, policy, trust) => {
  const { checks, measured } = await verifyQuote(subject, policy, { ...trust, simulated: true });
  const taken = pass("hardware", "The test takes the simulator for hardware.");
  return {
    checks: checks.map((check) => (check.id === "hardware" && check.outcome === "skip" ? taken : check)),
    measured: measured && { ...measured, simulated: trust.simulated },
  };
};
