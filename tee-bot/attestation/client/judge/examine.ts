/** Judges an observation of a node, live or recorded, without any network: every check, and the verdict over them. */
import { checkIds, decideVerdict, failed, type Check, type CheckId } from "../../../../shared/attestation/check.ts";
import { keysetDigest } from "../../../../shared/attestation/keyset.ts";
import type { Policy } from "../../../../shared/attestation/policy.ts";
import type { Measured, NodeReport, TrustRoot } from "../../verify/verification.ts";
import { verifyQuote } from "../../verify/verify-quote.ts";
import { judgeBinding, timeOf } from "./binding.ts";
import { judgeCertification } from "./certification.ts";
import { spkiSha256Of } from "../../../certificate/spki.ts";
import { judgeKeyCustody } from "./key-custody.ts";
import { judgeName } from "./name.ts";
import type { Observation } from "../observation.ts";
import { judgeSignalIdentity, type ExpectedSignal } from "./signal-identity.ts";
import { listNotProven } from "./not-proven.ts";
import { reasonFor } from "./reason.ts";

export interface ExamineOptions {
  readonly policy: Policy;
  /** Required besides those of the policy; also of a recording, where some can never pass. */
  readonly require?: readonly CheckId[] | undefined;
  readonly trust: TrustRoot;
  /** What a phone shows of the node's bot; undefined: nobody compares. */
  readonly signalIdentity?: ExpectedSignal | undefined;
}

/** What cannot be seen again in a recording is not asked of it, unless the caller insists. */
const liveOnly: ReadonlySet<CheckId> = new Set(["nonce", "connection-exporter"]);

/** Who compares wants an answer. */
const compared = ["signal-identity"] as const;

export async function examine(observation: Observation, options: ExamineOptions): Promise<NodeReport> {
  const { policy, trust, signalIdentity } = options;
  const { shown, recorder } = observation;
  const asked = recorder === undefined ? policy.required : policy.required.filter((id) => !liveOnly.has(id));
  const wanted = new Set<CheckId>([...asked, ...(options.require ?? []), ...(signalIdentity ? compared : [])]);
  const required = checkIds.filter((id) => wanted.has(id));
  if (shown.kind === "none") return { ...nothingSeen, verdict: "refused", reason: shown.detail, required };

  const { checks: quoteChecks, measured } = await verifyQuote(
    {
      evidence: shown.evidence.evidence,
      gpuAttestation: shown.evidence.gpu_attestation,
      collateral: observation.collateral?.documents,
      reportData: undefined,
      at: observation.at,
    },
    policy,
    trust,
  );
  const own = await judgeOwn(observation, options, measured);
  const checks = inOrder([...quoteChecks.map((check) => withSource(check, observation)), ...own]);
  const verdict = decideVerdict(checks, required, trust.simulated);
  return {
    verdict,
    reason: reasonFor({ verdict, checks, required, observation }),
    checks,
    required,
    notProven: listNotProven({ checks, policy, recorder }),
    measured,
    shown: shown.evidence,
  };
}

/** Of a report on a node that could not be looked at, or had nothing to show. */
export const nothingSeen = { checks: [], notProven: [], measured: undefined, shown: undefined } as const;

/** What concerns the connection and the name, which the quote alone says nothing of. */
async function judgeOwn(
  observation: Observation,
  { policy, signalIdentity }: ExamineOptions,
  measured: Measured | undefined,
): Promise<Check[]> {
  const { shown, connection, hostname, recorder, at, dns } = observation;
  if (shown.kind === "none") return [];
  const { evidence } = shown;
  const leaf = connection.chain[0];
  if (leaf === undefined) return [failed("connection-key", "No certificate was shown.")];
  const spkiSha256 = spkiSha256Of(leaf);
  const digest = await digestOfShown(shown.document);
  if (!digest) return [failed("keyset", "The keyset has no canonical form (RFC 8785).")];
  const binding = await judgeBinding({
    own: {
      nonce: Buffer.from(connection.nonce, "hex"),
      keysetDigest: digest,
      spkiSha256: Buffer.from(spkiSha256, "hex"),
      exporter: Buffer.from(connection.exporter, "hex"),
    },
    shown: evidence,
    quoted: measured?.reportData,
    recorder,
    at: at.seconds,
  });
  const passed = binding.some(({ id, outcome }) => id === "keyset" && outcome === "pass");
  const keyset = passed ? evidence.keyset : undefined;
  return [
    ...binding,
    judgeName({ hostname, keyset, spkiSha256, certificate: connection.certificate, expected: policy.node }),
    judgeKeyCustody({ keyset, custody: evidence.custody, appId: measured?.appId, roots: policy.keyProviders }),
    ...judgeCertification(keyset, dns),
    ...judgeSignalIdentity(keyset, signalIdentity),
  ];
}

/** Of the keyset as it came, since the schema lets some members fall. Undefined: nested beyond what can be walked. */
async function digestOfShown(document: unknown): Promise<Uint8Array | undefined> {
  try {
    return await keysetDigest((document as { keyset: unknown }).keyset);
  } catch {
    return undefined;
  }
}

/** Whose word on the platform it was, which the quote's verifier does not know. */
function withSource(check: Check, { collateral, collateralProblem }: Observation): Check {
  if (check.id !== "collateral") return check;
  const source = collateral ? ` It was ${collateral.source}, of ${timeOf(collateral.retrievedAt)}.` : "";
  const problem = collateralProblem === undefined ? "" : ` We could not get it ourselves: ${collateralProblem}`;
  return { ...check, detail: check.detail + source + problem };
}

function inOrder(checks: readonly Check[]): Check[] {
  return checks.toSorted((a, b) => checkIds.indexOf(a.id) - checkIds.indexOf(b.id));
}
