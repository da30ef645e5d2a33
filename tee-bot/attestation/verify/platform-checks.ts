/** Who has signed the quote and in which state its platform is, by our own reading and by every library that can tell. */
import { setImmediate } from "node:timers/promises";
import { attempt } from "../../../shared/attestation/attempt.ts";
import { sameBytes } from "../../../shared/attestation/dcap/certificate-chain.ts";
import { failed, pass, skip, type Check } from "../../../shared/attestation/check.ts";
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import { intelRoot } from "../../../shared/attestation/dcap/intel-root.ts";
import { hasSimulatorMark } from "../../../shared/attestation/simulator-mark.ts";
import type { Policy } from "../../../shared/attestation/policy.ts";
import { findQeFault, qeSecurityVersion } from "../../../shared/attestation/dcap/qe-report.ts";
import type { TdxQuote } from "../../../shared/attestation/dcap/quote.ts";
import { rejected } from "../../../shared/attestation/rejected.ts";
import { findPlatformTcb, judgeModule } from "../../../shared/attestation/dcap/tcb-info.ts";
import { findLevel, worstTcb, type Tcb } from "../../../shared/attestation/dcap/tcb.ts";
import { findTdFault } from "../../../shared/attestation/dcap/td-report.ts";
import { verifyCollateral, type VerifiedCollateral } from "../../../shared/attestation/dcap/verify-collateral.ts";
import { verifyPlatform, type VerifiedPlatform } from "../../../shared/attestation/dcap/verify-platform.ts";
import { quoteVerifiers, type Opinion, type QuoteVerifier } from "./quote-verifiers.ts";
import type { QuoteSubject, TrustRoot } from "./verification.ts";

export interface PlatformFindings {
  readonly checks: readonly Check[];
  readonly tcb: Tcb | undefined;
}

interface Subject {
  readonly quote: TdxQuote;
  readonly bytes: Uint8Array;
  readonly collateral: Collateral | undefined;
  readonly at: QuoteSubject["at"];
}

export async function checkPlatform(subject: Subject, policy: Policy, trust: TrustRoot): Promise<PlatformFindings> {
  const { quote, collateral, at } = subject;
  const signed = await attempt(() => verifySigner(quote, trust, at.seconds));
  const own = [checkHardware(subject.bytes, trust, signed.fault === undefined), checkAttributes(quote)];
  if (signed.fault !== undefined) {
    const rest = "Who has signed the quote is not known.";
    return unknownPlatform([failed("quote-signature", signed.fault), skip("collateral", rest), ...own], rest);
  }
  if (!collateral) {
    const none = "There is no collateral: whether the platform is withdrawn or outdated cannot be told.";
    return unknownPlatform([skip("quote-signature", none), skip("collateral", none), ...own], none);
  }
  const { pckChain, platform } = signed.value;
  const rules = { ...platform, root: trust.root, seconds: at.seconds, pckChain };
  const verified = await attempt(() => verifyCollateral(collateral, rules));
  if (verified.fault !== undefined) {
    const refused = failed("collateral", `${verified.fault} The time is ${timeOf(at.seconds)} by ${at.clock}.`);
    const rest = "The collateral was refused, by which this would have been told.";
    return unknownPlatform([skip("quote-signature", rest), refused, ...own], rest);
  }
  return judge({ ...subject, collateral }, policy, { ...signed.value, ...verified.value, own, trust });
}

interface WholeSubject extends Subject {
  readonly collateral: Collateral;
}

interface Verified extends VerifiedPlatform, VerifiedCollateral {
  readonly own: readonly Check[];
  readonly trust: TrustRoot;
}

async function judge(subject: WholeSubject, policy: Policy, verified: Verified): Promise<PlatformFindings> {
  const { quote, at } = subject;
  const { tcbInfo, qeIdentity, own, until } = verified;
  const current = `All of it is signed, in force until ${timeOf(until)}, and names nobody in the chain as revoked`;
  const collateral = pass("collateral", `${current}. The time is ${timeOf(at.seconds)} by ${at.clock}.`);
  const opinions = await askVerifiers(subject, verified.trust);
  const qeFault = findQeFault(quote.qeReport, qeIdentity);
  const signature = checkSignature(opinions, qeFault);
  const module = judgeModule(tcbInfo, quote.report);
  const moduleCheck =
    "fault" in module
      ? failed("tdx-module", module.fault)
      : pass("tdx-module", `It is ${module.name}, signed and loaded as the TCB info says.`);

  const parts = [
    findPlatformTcb(tcbInfo, verified.platform, quote.report),
    findLevel(qeIdentity.tcbLevels, ({ isvsvn }) => qeSecurityVersion(quote.qeReport) >= isvsvn),
    "fault" in module || module.tcb === undefined ? upToDate : module.tcb,
    ...opinions.flatMap(({ answer }) => (answer && "tcb" in answer ? [answer.tcb] : [])),
  ];
  const known = parts.filter((part) => part !== undefined);
  const tcb = known.length === parts.length ? worstTcb(known) : undefined;
  return { checks: [signature, collateral, checkTcb(tcb, policy), ...own, moduleCheck], tcb };
}

/** A module of TDX 1.0 has no level of its own: the platform's covers it. */
const upToDate: Tcb = { status: "UpToDate", advisories: [] };

interface Answered {
  readonly verifier: QuoteVerifier;
  readonly limit: string | undefined;
  readonly answer: Opinion | undefined;
}

async function askVerifiers({ quote, bytes, collateral, at }: WholeSubject, { root }: TrustRoot): Promise<Answered[]> {
  const { pck_certificate_chain: _, ...documents } = collateral;
  const answers: Answered[] = [];
  for (const verifier of quoteVerifiers) {
    const limit = verifier.limit({ version: quote.version, isIntelRoot: sameBytes(root, intelRoot) });
    await setImmediate(); // some 10 ms of computing each: others come in between
    const question = { quote: bytes, collateral: documents, seconds: at.seconds, root };
    answers.push({ verifier, limit, answer: limit === undefined ? await verifier.ask(question) : undefined });
  }
  return answers;
}

/** Ours has accepted by now; with one library that makes two, and each that can judge must agree. */
function checkSignature(opinions: readonly Answered[], qeFault: string | undefined): Check {
  const faults = opinions.flatMap(({ verifier, answer }) =>
    answer && "fault" in answer ? [`${verifier.name} refuses: ${answer.fault}`] : [],
  );
  if (qeFault !== undefined) faults.unshift(qeFault);
  if (faults.length > 0) return failed("quote-signature", faults.join("; "));
  const accepting = opinions.filter(({ answer }) => answer).map(({ verifier }) => verifier.name);
  if (accepting.length === 0) return skip("quote-signature", "No second verifier can judge this quote.");
  const limits = opinions.flatMap(({ verifier, limit }) => (limit ? ` ${verifier.name} was not asked: ${limit}.` : ""));
  return pass("quote-signature", `Our own reading and ${accepting.join(" and ")} accept it.${limits.join("")}`);
}

function checkTcb(tcb: Tcb | undefined, policy: Policy): Check {
  if (!tcb) return failed("tcb-status", "The platform's firmware is older than any that Intel lists.");
  const open = tcb.advisories.filter((advisory) => !policy.advisories.includes(advisory));
  const said = [`The platform is ${tcb.status}`, ...(tcb.advisories.length > 0 ? [tcb.advisories.join(", ")] : [])];
  const state = said.join(", with open advisories ");
  if (!policy.tcb.some((status) => status === tcb.status))
    return failed("tcb-status", `${state}; the policy accepts ${policy.tcb.join(", ")}.`);
  if (open.length > 0) return failed("tcb-status", `${state}; the policy does not accept ${open.join(", ")}.`);
  return pass("tcb-status", `${state}.`);
}

/** Only a root that the caller has named as a simulator's may be another than Intel's. */
async function verifySigner(
  quote: TdxQuote,
  { root, simulated }: TrustRoot,
  seconds: number,
): Promise<VerifiedPlatform> {
  if (!simulated && !sameBytes(root, intelRoot))
    throw rejected("The root to verify by is not Intel's, and was not named as a simulator's.");
  return verifyPlatform(quote, root, seconds);
}

function checkHardware(quote: Uint8Array, { simulated }: TrustRoot, isSigned: boolean): Check {
  const marked = hasSimulatorMark(quote);
  if (marked && !simulated) return failed("hardware", "The quote says itself that a simulator has signed it.");
  if (!marked && simulated)
    return failed("hardware", "Under a simulator's root only quotes with its mark are accepted.");
  if (!isSigned) return skip("hardware", "Who has signed the quote is not known.");
  return simulated
    ? skip("hardware", "A SIMULATOR has signed, under a root that the caller named: this proves nothing.")
    : pass("hardware", "A platform below Intel's root has signed, and the quote bears no simulator's mark.");
}

function checkAttributes({ report }: TdxQuote): Check {
  const fault = findTdFault(report);
  return fault === undefined
    ? pass("td-attributes", "Debugging is off, and no attribute lets the host in.")
    : failed("td-attributes", fault);
}

function unknownPlatform(checks: readonly Check[], why: string): PlatformFindings {
  return { checks: [...checks, skip("tcb-status", why), skip("tdx-module", why)], tcb: undefined };
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000", "");
