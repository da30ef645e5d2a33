/** A proof file: an observation with all that is needed to judge it again, offline and at its own time. */
import { z } from "zod";
import { parseJson } from "../../../shared/parse-json.ts";
import { collateralSchema } from "../../../shared/attestation/collateral.ts";
import { evidenceSchema } from "../../../shared/attestation/evidence.ts";
import { AppError } from "../../../shared/errors.ts";
import { version } from "../../../shared/version.ts";
import type { NodeReport } from "../verify/verification.ts";
import { judgeChain, type RecordedChain } from "./judge/chain.ts";
import { spkiSha256Of } from "../../certificate/spki.ts";
import { challengeFormula } from "./challenge.ts";
import type { CertificateTrust, Observation } from "./observation.ts";
import type { Question } from "./question.ts";

const proofVersion = "postern.proof/1";
/** Evidence with its collateral, which may stand in it twice, the report, and that of a model with its GPUs. */
export const maxProofBytes = 16 * 1024 * 1024;
export const recorder = "whoever recorded it";
const maxChainLength = 10;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const proofSchema = z.object({
  version: z.literal(proofVersion),
  /** Who wrote it: `postern 0.1.0`. */
  tool: z.string().max(64),
  url: z.string().max(512),
  hostname: z.string().min(1).max(253),
  address: z.string().max(300),
  /** Seconds since 1970, by the recorder's clock. */
  recorded_at: z.int().min(0).max(253_402_300_799),
  connection: z.object({
    protocol: z.string().max(16),
    /** PEM, the leaf first. */
    certificate_chain: z
      .array(z.string().max(64 * 1024))
      .min(1)
      .max(maxChainLength),
    nonce: digest,
    exporter: digest,
  }),
  /** As the node sent it. */
  evidence: z.unknown(),
  collateral: z.object({ retrieved_at: z.int(), source: z.string().max(1024), documents: collateralSchema }).optional(),
  dns: z.discriminatedUnion("state", [
    z.object({
      state: z.literal("found"),
      at: z.string().max(253),
      contents: z.array(z.string().max(1024)).max(64),
      resolver: z.string().max(512),
    }),
    z.object({ state: z.literal("unknown"), problem: z.string().max(2048) }),
  ]),
  /** What the recorder found; to be compared with, not believed. */
  report: z.object({ verdict: z.string().max(32), reason: z.string() }).loose(),
  /** See question.ts, which reads it. */
  question: z.unknown().optional(),
});

/**
 * Undefined where the node showed no evidence: there is nothing to keep. `question`: on whose behalf it was asked, where that
 * was a person at the node's bot.
 */
export function formatProof(
  observation: Observation,
  { verdict, reason, checks, required }: NodeReport,
  question?: Question,
): string | undefined {
  const { shown, connection, collateral } = observation;
  if (shown.kind === "none") return undefined;
  const proof: z.input<typeof proofSchema> = {
    version: proofVersion,
    tool: `postern ${version}`,
    url: observation.url,
    hostname: observation.hostname,
    address: observation.address,
    recorded_at: observation.at.seconds,
    connection: {
      protocol: connection.protocol,
      certificate_chain: [...connection.chain],
      nonce: connection.nonce,
      exporter: connection.exporter,
    },
    evidence: shown.document,
    ...(collateral && {
      collateral: { retrieved_at: collateral.retrievedAt, source: collateral.source, documents: collateral.documents },
    }),
    dns:
      observation.dns.state === "found"
        ? { ...observation.dns, contents: [...observation.dns.contents] }
        : observation.dns,
    report: { verdict, reason, required, checks },
    ...(question && { question: { nonce_is: challengeFormula, ...question } }),
  };
  return `${JSON.stringify(proof, undefined, 1)}\n`;
}

/** Reads a proof file. `roots` (PEM) judge its certificate chain. Throws {@link AppError} for what is none. */
export function parseProof(text: string, roots: readonly string[]): Observation {
  const { data: proof, error } = proofSchema.safeParse(parseJson(text));
  if (!proof)
    throw new AppError(
      "bad-request",
      `It is no proof file of this version: wrong at ${error?.issues[0]?.path.map(String).join(".") || "its top"}.`,
    );
  const evidence = evidenceSchema.safeParse(proof.evidence);
  const { hostname, recorded_at: at, collateral, dns } = proof;
  const { certificate_chain: chain, ...connection } = proof.connection;
  return {
    url: proof.url,
    hostname,
    address: proof.address,
    at: { seconds: at, clock: `the clock of ${recorder}` },
    recorder,
    connection: { ...connection, chain, certificate: judgeRecorded({ hostname, chain, roots, at }) },
    shown: evidence.success
      ? { kind: "evidence", evidence: evidence.data, document: proof.evidence }
      : { kind: "none", detail: "The proof file has no evidence of the known form." },
    collateral: collateral && { ...collateral, retrievedAt: collateral.retrieved_at },
    collateralProblem: undefined,
    dns: {
      state: "unknown",
      problem: dns.state === "found" ? `What DNS said then is the word of ${recorder}.` : dns.problem,
    },
  };
}

function judgeRecorded(recorded: RecordedChain): CertificateTrust {
  try {
    for (const pem of recorded.chain) spkiSha256Of(pem); // a certificate may be read whose key cannot
    return judgeChain(recorded);
  } catch (error) {
    throw new AppError("bad-request", "It is no proof file: a certificate in it cannot be read.", { cause: error });
  }
}
