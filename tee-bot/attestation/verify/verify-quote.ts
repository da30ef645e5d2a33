/**
 * The whole of what one quote proves: who signed it, in which state its platform is, what runs there. Bad evidence is a
 * failed check; nothing that evidence says makes this throw. Some 30 ms of computing, in pieces of 10 ms at most.
 */
import { checkApplication } from "../../../shared/attestation/dstack/application-checks.ts";
import { attempt } from "../../../shared/attestation/attempt.ts";
import { sameBytes } from "../../../shared/attestation/dcap/certificate-chain.ts";
import { checkIds, failed, pass, type Check } from "../../../shared/attestation/check.ts";
import { collateralSchema } from "../../../shared/attestation/collateral.ts";
import { parseQuote, type TdxQuote } from "../../../shared/attestation/dcap/quote.ts";
import { rejected } from "../../../shared/attestation/rejected.ts";
import { fromHex, toHex } from "../../../shared/hex.ts";
import { checkPlatform } from "./platform-checks.ts";
import type { QuoteSubject, VerifyQuote } from "./verification.ts";

export const verifyQuote: VerifyQuote = async (subject, policy, trust) => {
  const { evidence, at, gpuAttestation } = subject;
  const bytes = fromHex(evidence.quote);
  const read = await attempt(() => parseQuote(bytes ?? raise("The quote is not in hexadecimal digits.")));
  if (read.fault !== undefined || !bytes)
    return { checks: [failed("quote-format", read.fault ?? "")], measured: undefined };
  const quote = read.value;
  const collateral = collateralSchema.safeParse(subject.collateral).data;
  const platform = await checkPlatform({ quote, bytes, collateral, at }, policy, trust);
  const { report } = quote;
  const application = await checkApplication({ evidence, gpuAttestation, report }, policy);
  const checks = [checkFormat(quote), ...checkReportData(quote, subject), ...platform.checks, ...application.checks];
  return {
    checks: checks.toSorted((one, other) => checkIds.indexOf(one.id) - checkIds.indexOf(other.id)),
    measured: {
      reportData: toHex(report.reportData),
      mrtd: toHex(report.mrtd),
      rtmr: [toHex(report.rtmr[0]), toHex(report.rtmr[1]), toHex(report.rtmr[2]), toHex(report.rtmr[3])],
      composeHash: application.app?.composeHash,
      appId: application.app?.appId,
      keyProvider: application.app?.keyProvider,
      tcbStatus: platform.tcb?.status,
      advisories: platform.tcb?.advisories ?? [],
      simulated: trust.simulated,
    },
  };
};

function checkFormat({ version, paddingBytes }: TdxQuote): Check {
  const padding = paddingBytes > 0 ? `; ${paddingBytes} zeros fill it up` : "";
  return pass("quote-format", `A TDX quote of version ${version}, every byte of which has its place${padding}.`);
}

/** Whether the quote carries the bytes that the caller computed from its own nonce. */
function checkReportData({ report }: TdxQuote, { reportData }: QuoteSubject): Check[] {
  if (!reportData) return [];
  return sameBytes(report.reportData, reportData)
    ? [pass("nonce", "The quote carries the very bytes that were computed here for this question.")]
    : [failed("nonce", "The quote carries other bytes than those computed here: it answers another question.")];
}

function raise(sentence: string): never {
  throw rejected(sentence);
}
