/**
 * A quote of a node for a nonce, without any connection: what a node without a name can show of itself. It proves which code
 * holds the keys of the keyset, and says nothing of who answers at an address. The statement is that of `aci/1` §3.2.
 */
import { z } from "zod";
import { parseJson } from "../../../shared/parse-json.ts";
import { aciReportData } from "../../../shared/attestation/aci-statement.ts";
import {
  checkIds,
  decideVerdict,
  failed,
  pass,
  skip,
  type Check,
  type CheckId,
} from "../../../shared/attestation/check.ts";
import { collateralSchema } from "../../../shared/attestation/collateral.ts";
import { intelRoot } from "../../../shared/attestation/dcap/intel-root.ts";
import { quoteEvidenceSchema } from "../../../shared/attestation/evidence.ts";
import { keysetDigest, keysetSchema, type Keyset } from "../../../shared/attestation/keyset.ts";
import { policySchema, quoteRequired } from "../../../shared/attestation/policy.ts";
import { AppError } from "../../../shared/errors.ts";
import { version } from "../../../shared/version.ts";
import type { NodeReport } from "../verify/verification.ts";
import { verifyQuote } from "../verify/verify-quote.ts";
import { timeOf } from "./judge/binding.ts";
import { listNotProven } from "./judge/not-proven.ts";
import { judgeSignalIdentity } from "./judge/signal-identity.ts";
import { recorder } from "./proof.ts";
import type { Question } from "./question.ts";
import type { Judgement } from "./verify-node.ts";

const quoteProofVersion = "postern.quote-proof/1";

const recordSchema = z.object({
  /** Seconds since 1970, by the node's clock. */
  recorded_at: z.int().min(0).max(253_402_300_799),
  nonce: z.string().regex(/^[0-9a-f]{64}$/),
  /** As the node has it: its digest covers members that are not known here. */
  keyset: keysetSchema,
  evidence: quoteEvidenceSchema,
  collateral: collateralSchema.optional(),
  gpu_attestation: z
    .string()
    .max(1024 * 1024)
    .optional(),
});
export type QuoteRecord = z.infer<typeof recordSchema>;
const fileSchema = recordSchema.extend({ version: z.literal(quoteProofVersion) });

export interface QuoteInspection {
  readonly report: NodeReport;
  /** Of the keyset that the quote names; undefined: it names another. */
  readonly keyset: Keyset | undefined;
}

/**
 * Judges it at its own time. `isRecorded`: it comes out of a file, so that the nonce was fresh is somebody's word. Never throws
 * for what it says.
 */
export async function judgeQuoteRecord(
  record: QuoteRecord,
  judgement: Judgement,
  { isRecorded }: { readonly isRecorded: boolean },
): Promise<QuoteInspection> {
  const { nonce, evidence, collateral, gpu_attestation: gpuAttestation, recorded_at: seconds } = record;
  const policy = judgement.policy ?? policySchema.parse({});
  const trust = judgement.trust ?? { root: intelRoot, simulated: false };
  const reportData = await reportDataOf(record.keyset, nonce);
  const at = { seconds, clock: isRecorded ? `the clock of ${recorder}` : "this node's own" };
  const subject = { evidence, collateral, gpuAttestation, reportData, at };
  const { checks: ofQuote, measured } = await verifyQuote(subject, policy, trust);
  const bound = ofQuote.some(({ id, outcome }) => id === "nonce" && outcome === "pass");
  const keyset = bound ? record.keyset : undefined;
  const own = [judgeKeyset(keyset, seconds), ...judgeSignalIdentity(keyset, judgement.signalIdentity)];
  const checks = [...ofQuote.map((check) => (isRecorded ? asRecorded(check) : check)), ...own].toSorted(
    (one, other) => checkIds.indexOf(one.id) - checkIds.indexOf(other.id),
  );
  const required = requiredOf(judgement, isRecorded);
  const verdict = decideVerdict(checks, required, trust.simulated);
  const open = listNotProven({ checks, policy, recorder: isRecorded ? recorder : undefined });
  const notProven = ["Any connection: the quote was looked at by itself.", ...open];
  const reason = reasonOf(checks, required);
  return { report: { verdict, reason, checks, required, notProven, measured, shown: undefined }, keyset };
}

export function formatQuoteProof(record: QuoteRecord, { verdict, reason }: NodeReport, question?: Question): string {
  const file = { version: quoteProofVersion, tool: `postern ${version}`, ...record, report: { verdict, reason } };
  return `${JSON.stringify({ ...file, ...(question && { question }) }, undefined, 1)}\n`;
}

/** Undefined: it is a file of another kind. Throws {@link AppError} for one of this kind that is broken. */
export function parseQuoteProof(text: string): QuoteRecord | undefined {
  const value = parseJson(text) as { version?: unknown; keyset?: unknown } | null | undefined;
  if (value?.version !== quoteProofVersion) return undefined;
  const { data, error } = fileSchema.safeParse(value);
  if (data) return { ...data, keyset: value.keyset as Keyset }; // the schema lets some members fall
  const where = error.issues[0]?.path.map(String).join(".") ?? "";
  throw new AppError("bad-request", `It is no proof file of this version: wrong at ${where}.`);
}

function requiredOf({ require = [], signalIdentity }: Judgement, isRecorded: boolean): CheckId[] {
  const wanted = new Set<CheckId>(["keyset", ...quoteRequired, ...require]);
  if (!isRecorded) wanted.add("nonce");
  if (signalIdentity) wanted.add("signal-identity");
  return checkIds.filter((id) => wanted.has(id));
}

function asRecorded(check: Check): Check {
  if (check.id !== "nonce" || check.outcome !== "pass") return check;
  return skip("nonce", `The quote carries the recorded nonce; that it was a fresh one is the word of ${recorder}.`);
}

/** Of a keyset that has no canonical form nothing is carried. */
async function reportDataOf(keyset: Keyset, nonce: string): Promise<Uint8Array> {
  try {
    return await aciReportData(Buffer.from(await keysetDigest(keyset)).toString("hex"), nonce);
  } catch {
    return new Uint8Array();
  }
}

function judgeKeyset(keyset: Keyset | undefined, at: number): Check {
  if (!keyset) return skip("keyset", "The quote carries other bytes, so it names no keyset that is known.");
  const until = timeOf(keyset.not_after);
  return keyset.not_after < at
    ? failed("keyset", `The keyset was good until ${until}, which is over.`)
    : pass("keyset", `The quote names the keyset, good until ${until}.`);
}

function reasonOf(checks: readonly Check[], required: readonly CheckId[]): string {
  const open =
    checks.find(({ outcome }) => outcome === "fail") ??
    checks.find(({ id, outcome }) => outcome === "skip" && required.includes(id));
  return open?.detail ?? "Every required check of the quote passed; no connection was looked at.";
}
