/** Evidence of one confidential VM of NEAR AI Cloud: its quote, and whether the quote answers us and names its key. */
import { failed, pass, type Check, type CheckId } from "../../../shared/attestation/check.ts";
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import type { Policy } from "../../../shared/attestation/policy.ts";
import type { Measured, QuoteSubject, TrustRoot, VerifyQuote } from "../verify/verification.ts";
import type { NearEvidence } from "./near-report.ts";
import { nearReportData, splitReportData } from "./report-data.ts";
import { addressBytes, addressOf } from "./signing-key.ts";

export interface EvidenceContext {
  readonly verifyQuote: VerifyQuote;
  readonly policy: Policy;
  readonly trust: TrustRoot;
  /** Undefined: it could not be got. */
  readonly collateral: (quote: Uint8Array) => Promise<Collateral | undefined>;
  readonly at: QuoteSubject["at"];
  /** Ours, 32 bytes. */
  readonly nonce: Uint8Array;
}

export interface EvidenceReport {
  readonly checks: readonly Check[];
  readonly measured: Measured | undefined;
}

/** `keyCheck`: by which name it is told whether the quote names the key. */
export async function verifyEvidence(
  evidence: NearEvidence,
  keyCheck: CheckId,
  context: EvidenceContext,
): Promise<EvidenceReport> {
  const { verifyQuote, policy, trust, at, nonce } = context;
  const collateral = await context.collateral(Buffer.from(evidence.quote.quote, "hex"));
  const subject = { evidence: evidence.quote, collateral, reportData: undefined, at };
  const { checks, measured } = await verifyQuote(subject, policy, trust);
  if (!measured) return { checks, measured };
  return { checks: [...checks, checkNonce(measured, nonce), checkKey(evidence, measured, nonce, keyCheck)], measured };
}

function checkNonce({ reportData }: Measured, nonce: Uint8Array): Check {
  return splitReportData(reportData).nonce === Buffer.from(nonce).toString("hex")
    ? pass("nonce", "The quote carries the nonce that was sent.")
    : failed("nonce", "The quote carries another nonce than the one that was sent: it was made for another question.");
}

function checkKey(evidence: NearEvidence, { reportData }: Measured, nonce: Uint8Array, id: CheckId): Check {
  const { key, publicKey, fingerprint } = evidence;
  if (key.address.length !== 2 * addressBytes[key.algorithm])
    return failed(id, `The signing address is none of ${key.algorithm}.`);
  if (splitReportData(reportData).key !== nearReportData(key, fingerprint, nonce).key)
    return failed(id, "The quote does not carry the signing address that is shown beside it.");
  if (publicKey !== undefined && addressOf(key.algorithm, publicKey) !== key.address)
    return failed(id, "The public key that is shown is not the one of the signing address.");
  return pass(id, `The quote carries the signing address ${key.address}.`);
}
