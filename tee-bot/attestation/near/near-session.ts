import { attestedSession, type AttestedSession, type ClaimName } from "./attested-session.ts";
import type { ModelReport } from "./model-report.ts";
import { maxAgeMs } from "./model-standing.ts";

const verifierId = "postern-near/1";

/**
 * The session of one model at NEAR whose report is good. What ran there nobody compares with a list of what is known to
 * be good, so those claims stay unknown; so does what the weights are.
 */
export function nearSession(report: ModelReport, upstreamName: string, endpoint: string): AttestedSession {
  const { checks, measured, keys, model, at, verdict, evidence } = report;
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
    channelBinding: [],
    asserted: verdict === "verified" ? asserted : {},
    extra: { model, verdict, signing_addresses: keys.map(({ address }) => address), tcb_status: statuses },
    establishedAt: Math.floor(at / 1_000),
    expiresAt: Math.floor((at + maxAgeMs) / 1_000),
    evidence: { mediaType: "application/json", bytes: evidence },
  });
}
