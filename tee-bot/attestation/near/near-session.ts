import { attestedSession, type AttestedSession, type ClaimName } from "./attested-session.ts";
import type { ModelReport } from "./model-report.ts";
import { maxAgeMs } from "./model-standing.ts";

const verifierId = "postern-near/1";

export interface NearUpstream {
  readonly upstreamName: string;
  /** The base URL of its API. */
  readonly endpoint: string;
  /** Calls go over connections to the attested key only. */
  readonly isPinned: boolean;
}

/**
 * The session of one model at NEAR whose report is good. What ran there nobody compares with a list of what is known to
 * be good, so those claims stay unknown; so does what the weights are.
 */
export function nearSession(report: ModelReport, { upstreamName, endpoint, isPinned }: NearUpstream): AttestedSession {
  const { checks, measured, keys, model, at, verdict, evidence, gatewayKey } = report;
  const gpu = checks.find(({ id }) => id === "model-gpu");
  const statuses = [...new Set(measured.map(({ tcbStatus }) => tcbStatus ?? "unknown"))];
  const asserted: Partial<Record<ClaimName, string>> = {
    tee_attested: `The quotes of the gateway and of ${keys.length} machine(s) of the model were verified.`,
    ...(statuses.length === 1 && statuses[0] === "UpToDate" && { tcb_up_to_date: "Every quote's TCB is UpToDate." }),
    ...(gpu?.outcome === "pass" && { gpu_attested: gpu.detail }),
  };
  return attestedSession({
    upstreamName,
    verifierId,
    endpoint,
    channelBinding:
      isPinned && gatewayKey !== undefined ? [{ origin: new URL(endpoint).origin, spkiSha256: gatewayKey }] : [],
    asserted: verdict === "verified" ? asserted : {},
    extra: { model, verdict, signing_addresses: keys.map(({ address }) => address), tcb_status: statuses },
    establishedAt: Math.floor(at / 1_000),
    expiresAt: Math.floor((at + maxAgeMs) / 1_000),
    evidence: { mediaType: "application/json", bytes: evidence },
  });
}
