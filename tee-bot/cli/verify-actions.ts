/** What `postern verify` does: reads what the flags name, has it verified, and puts the report into text. */
import { X509Certificate } from "node:crypto";
import { basename } from "node:path";
import { checkIds, type CheckId, type Verdict } from "../../shared/attestation/check.ts";
import type { Policy } from "../../shared/attestation/policy.ts";
import { systemClock } from "../../shared/clock.ts";
import { createDohServer } from "../../shared/dns/doh.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import { parseExpectedSignal } from "../attestation/client/judge/signal-identity.ts";
import { askCollateralOf } from "../attestation/client/observe/ask-collateral.ts";
import { systemRoots } from "../attestation/client/observe/connection.ts";
import { parseNodeAddress } from "../attestation/client/observe/parse-address.ts";
import { readPolicy } from "../attestation/client/policy-file.ts";
import { formatProof, maxProofBytes, parseProof } from "../attestation/client/proof.ts";
import { judgeQuestion, parseQuestion, type QuestionReport } from "../attestation/client/question.ts";
import { judgeQuoteRecord, parseQuoteProof } from "../attestation/client/quote-proof.ts";
import { inspectNode, inspectProof, type Inspection, type Judgement } from "../attestation/client/verify-node.ts";
import type { TrustRoot } from "../attestation/verify/verification.ts";
import { wantsColor } from "./command.ts";
import { CliError } from "./failure.ts";
import { readSmallFile, isFile } from "./small-file.ts";
import { formatVerification, formatVerificationJson, type VerificationView } from "./verify-view.ts";

export interface VerifyFlags {
  policy?: string;
  require?: string;
  save?: string;
  json?: boolean;
  cacert?: string;
  connect?: string;
  collateral?: string;
  resolver?: string;
  simulatorRoot?: string;
  signalIdentity?: string;
}

const exitCodes = { verified: 0, simulated: 0, refused: 1, unknown: 2 } as const satisfies Record<Verdict, number>;
const maxFileBytes = 1024 * 1024;
const defaultResolver = "https://cloudflare-dns.com/dns-query";

export interface Verification {
  readonly text: string;
  readonly exitCode: number;
  /** Why there is no proof file where one was asked for. */
  readonly unsaved: CliError | undefined;
}

/** Throws {@link CliError} and {@link AppError} where the command itself is wrong. */
export async function verify(what: string, flags: VerifyFlags): Promise<Verification> {
  const recorded = isFile(what);
  if (recorded && flags.save !== undefined)
    throw new AppError("bad-request", "--save keeps what is seen of a node; what is in a proof file is kept already.");
  if (!recorded && /\.json$|^\.{0,2}\//.test(what)) throw new AppError("not-found", `There is no file ${what}.`);
  const { question, ...inspection }: Checked = recorded ? await checkProof(what, flags) : await checkNode(what, flags);
  const { report, observation } = inspection;
  const unsaved = flags.save === undefined ? undefined : save(flags.save, inspection);
  const exitCode = exitCodeOf(report.verdict, question) || (unsaved ? exitCodes.unknown : 0);
  const view: VerificationView = {
    report,
    observation,
    subject: recorded ? `${observation?.url ?? "A quote"} as recorded in ${basename(what)}` : what,
    isRecorded: recorded,
    hints: hintsFor(inspection, flags, unsaved),
    question,
  };
  const text = flags.json ? formatVerificationJson(view, exitCode) : formatVerification(view, wantsColor());
  return { text, exitCode, unsaved };
}

function save(file: string, { report, observation }: Inspection): CliError | undefined {
  const failure = (why: string, remedy: string): CliError =>
    new CliError({ what: "The proof was not written.", why, remedy });
  const proof = observation && formatProof(observation, report);
  if (proof === undefined) return failure("There was no evidence to keep.", "Mend what is said above first.");
  try {
    writeFileAtomic(file, proof);
    return undefined;
  } catch (error) {
    return failure(errorText(error), "Name a file that can be written.");
  }
}

/** A person's question is not answered by a node's good evidence alone. */
function exitCodeOf(verdict: Verdict, question: QuestionReport | undefined): number {
  const verdicts = [verdict, question?.modelVerdict ?? "verified"];
  if (verdicts.includes("refused") || question?.challenge.outcome === "fail") return exitCodes.refused;
  return Math.max(...verdicts.map((one) => exitCodes[one]));
}

type Checked = Inspection & { readonly question?: QuestionReport | undefined };

/** Looks at a node as the flags say. Throws {@link CliError} and {@link AppError} where they are wrong. */
export function checkNode(what: string, flags: VerifyFlags): Promise<Inspection> {
  const judgement = judgementOf(flags);
  return inspectNode({
    ...judgement,
    address: parseNodeAddress(what, flags.connect),
    roots: flags.cacert === undefined ? undefined : rootsIn(flags.cacert),
    askCollateral: askCollateralOf(flags.collateral, judgement.trust !== undefined),
    resolver: createDohServer({ url: flags.resolver ?? defaultResolver, fetch }),
    clock: systemClock,
  });
}

async function checkProof(file: string, flags: VerifyFlags): Promise<Checked> {
  const roots = flags.cacert === undefined ? systemRoots() : rootsIn(flags.cacert);
  const text = readSmallFile(file, maxProofBytes);
  const judgement = judgementOf(flags);
  const record = parseQuoteProof(text);
  if (record) {
    const { report } = await judgeQuoteRecord(record, judgement, { isRecorded: true });
    return { report, observation: undefined, question: await checkQuestion(text, record.nonce, judgement) };
  }
  const observation = parseProof(text, roots);
  const inspection = await inspectProof(observation, judgement);
  return { ...inspection, question: await checkQuestion(text, observation.connection.nonce, judgement) };
}

async function checkQuestion(text: string, nonce: string, judgement: Judgement): Promise<QuestionReport | undefined> {
  const question = parseQuestion(text);
  return question && judgeQuestion(question, nonce, judgement);
}

/** Of the flags that say what to insist on. */
export function judgementOf({
  policy,
  require,
  simulatorRoot,
  signalIdentity,
}: Pick<VerifyFlags, "policy" | "require" | "simulatorRoot" | "signalIdentity">): Judgement {
  return {
    policy: policy === undefined ? undefined : policyIn(policy),
    require: require === undefined ? undefined : checksIn(require),
    trust: simulatorRoot === undefined ? undefined : simulatorTrust(simulatorRoot),
    signalIdentity: signalIdentity === undefined ? undefined : parseExpectedSignal(signalIdentity),
  };
}

function policyIn(file: string): Policy {
  const read = readPolicy(basename(file), readSmallFile(file, maxFileBytes));
  if (read.ok) return read.policy;
  throw new CliError({
    what: "Nothing was checked.",
    why: read.mistakes.join("\n"),
    remedy: "Mend each where it says; docs/attestation.md lists what a policy may say.",
  });
}

function checksIn(list: string): CheckId[] {
  return list.split(",").map((text) => {
    const id = checkIds.find((one) => one === text.trim());
    if (id) return id;
    throw new AppError("bad-request", `"${text.trim()}" is no check. There are ${checkIds.join(", ")}.`);
  });
}

function simulatorTrust(file: string): TrustRoot | undefined {
  const [root] = readCertificates(file);
  return root && { root: new Uint8Array(root.raw), simulated: true };
}

/** At least one. */
function readCertificates(file: string): X509Certificate[] {
  const texts = readSmallFile(file, maxFileBytes).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    if (texts) return texts.map((text) => new X509Certificate(text));
  } catch (error) {
    throw new AppError("bad-request", `A certificate in ${file} cannot be read.`, { cause: error });
  }
  throw new AppError("bad-request", `${file} holds no certificate (PEM).`);
}

export const rootsIn = (file: string): string[] => readCertificates(file).map((certificate) => certificate.toString());

/** What to do next, where that can be told. */
function hintsFor({ report, observation }: Inspection, flags: VerifyFlags, unsaved: CliError | undefined): string[] {
  const hints: string[] = [];
  if (report.verdict === "refused" && report.shown?.simulated && flags.simulatorRoot === undefined)
    hints.push(
      "The node says itself that it runs beside a simulator. If that is yours, name its root: --simulator-root FILE",
    );
  if (
    observation?.connection.certificate.state === "untrusted" &&
    report.verdict === "unknown" &&
    flags.cacert === undefined
  )
    hints.push("If the node's certificate comes from a CA of your own, name it: --cacert FILE");
  if (flags.save !== undefined && !unsaved)
    hints.push(`The proof is in ${flags.save}. Check it again with: postern verify ${flags.save}`);
  return hints;
}
