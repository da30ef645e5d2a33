/**
 * A model's evidence with all that is needed to judge it again, offline: NEAR's report as it came, the nonce that it
 * answers, and the vendor's word on each platform. NVIDIA's service is not asked again.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { skip } from "../../../shared/attestation/check.ts";
import { collateralSchema, type Collateral } from "../../../shared/attestation/collateral.ts";
import { intelRoot } from "../../../shared/attestation/dcap/intel-root.ts";
import { policySchema, type Policy } from "../../../shared/attestation/policy.ts";
import { hasSimulatorMark } from "../../../shared/attestation/simulator-mark.ts";
import { AppError } from "../../../shared/errors.ts";
import type { TrustRoot } from "../verify/verification.ts";
import { verifyQuote } from "../verify/verify-quote.ts";
import type { ModelReport } from "./model-report.ts";
import { parseNearReport, type NearReport } from "./near-report.ts";
import { verifyModel, type VerifyModelOptions } from "./verify-model.ts";
import { verifyReport, type Verified } from "./verify-report.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const maxPlatforms = 65;

export const modelRecordSchema = z.object({
  /** As the provider knows it. */
  model: z.string().max(512),
  /** Seconds since 1970, by the recorder's clock. */
  recorded_at: z.int().min(0).max(253_402_300_799),
  nonce: digest,
  /** SHA-256 of the key of the certificate on the recorder's connection. */
  peer: digest.optional(),
  /** As NEAR sent it. */
  report: z.unknown(),
  /** The vendor's word, with the SHA-256 of each quote for which it was asked. */
  collateral: z
    .array(z.object({ quotes: z.array(digest).max(maxPlatforms), documents: collateralSchema }))
    .max(maxPlatforms),
});
export type ModelRecord = z.infer<typeof modelRecordSchema>;

/** Verifies a model with a nonce of the caller's, and keeps what it was judged by. Throws what {@link verifyModel} throws. */
export async function recordModel(
  model: string,
  signal: AbortSignal,
  options: VerifyModelOptions & { readonly nonce: Uint8Array },
): Promise<{ report: ModelReport; record: ModelRecord }> {
  const asked = new Map<string, Collateral>();
  const { peer, ...report } = await verifyModel(model, signal, {
    ...options,
    async collateral(quote, whileAsked) {
      const documents = await options.collateral(quote, whileAsked);
      if (documents) asked.set(digestOf(quote), documents);
      return documents;
    },
  });
  const record: ModelRecord = {
    model,
    recorded_at: Math.floor(report.at / 1_000),
    nonce: Buffer.from(options.nonce).toString("hex"),
    ...(peer !== undefined && { peer }),
    report: JSON.parse(Buffer.from(report.evidence).toString()) as unknown,
    collateral: grouped(asked),
  };
  return { report, record };
}

export interface JudgeRecordOptions {
  readonly policy: Policy | undefined;
  readonly trust: TrustRoot | undefined;
  /** Whose time the record's is, for the sentences. */
  readonly clock?: string;
}

/**
 * Judges a record at its own time. Of the policy only firmware counts: it is about the node's application, and a model is
 * another. Throws {@link AppError} for what is no report.
 */
export async function judgeModelRecord(
  record: ModelRecord,
  { policy, trust, clock = "the clock of whoever recorded it" }: JudgeRecordOptions,
): Promise<Verified> {
  const report = parseNearReport(record.report);
  if (!report) throw new AppError("bad-request", "What the proof file has of the model is no report.");
  const { tcb, advisories } = policy ?? policySchema.parse({});
  return verifyReport(report, {
    model: record.model,
    nonce: Buffer.from(record.nonce, "hex"),
    peer: record.peer,
    verifyQuote,
    policy: policySchema.parse({ tcb, advisories }),
    trust: trust && isSimulated(report) ? trust : { root: intelRoot, simulated: false },
    at: { seconds: record.recorded_at, clock },
    collateral: (quote) => Promise.resolve(findCollateral(record, digestOf(quote))),
    checkGpu: () => Promise.resolve(skip("model-gpu", "NVIDIA's service is not asked again about a recording.")),
  });
}

/** A simulator that the caller named may be believed for what it has signed, and for nothing else. */
function isSimulated({ gateway }: NearReport): boolean {
  return "quote" in gateway && hasSimulatorMark(Buffer.from(gateway.quote.quote, "hex"));
}

function findCollateral({ collateral }: ModelRecord, quote: string): Collateral | undefined {
  return collateral.find(({ quotes }) => quotes.includes(quote))?.documents;
}

/** Machines of one kind have the same documents. */
function grouped(asked: ReadonlyMap<string, Collateral>): ModelRecord["collateral"] {
  const groups = new Map<string, ModelRecord["collateral"][number]>();
  for (const [quote, documents] of asked) {
    const key = JSON.stringify(documents);
    const group = groups.get(key) ?? { quotes: [], documents };
    group.quotes.push(quote);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const digestOf = (quote: Uint8Array): string => createHash("sha256").update(quote).digest("hex");
