import { getNear, NearUnavailable, parseJson, type NearApi } from "./near-api.ts";
import { maxReportBytes, parseNearReport, type NearReport } from "./near-report.ts";
import { openReportConnection } from "./report-connection.ts";
import type { SigningAlgorithm } from "./signing-key.ts";

/** Where a model's GPUs are many their evidence alone takes half a minute (inference-proxy, src/attestation.rs). */
const reportTimeoutMs = 45_000;

export interface ReportQuestion {
  readonly api: Omit<NearApi, "dispatcher">;
  readonly model: string;
  /** NEAR's own default is another one for reports than for signatures. */
  readonly algorithm: SigningAlgorithm;
  /** 32 bytes, used once: without one the answer may be an old one. */
  readonly nonce: Uint8Array;
  readonly signal: AbortSignal;
}

export interface FetchedReport {
  readonly report: NearReport;
  /** As it came. */
  readonly bytes: Uint8Array;
  readonly peer: string | undefined;
}

/** Asks for evidence of one model, over a connection of its own. Throws {@link NearUnavailable}. */
export async function fetchReport(question: ReportQuestion): Promise<FetchedReport> {
  const { api, model, algorithm, nonce, signal } = question;
  const query = new URLSearchParams({
    model,
    signing_algo: algorithm,
    nonce: Buffer.from(nonce).toString("hex"),
    include_tls_fingerprint: "true",
    provider: "near",
  });
  await using connection = openReportConnection(api.origin);
  const either = AbortSignal.any([signal, AbortSignal.timeout(reportTimeoutMs)]);
  const asked = { ...api, dispatcher: connection.dispatcher };
  const path = `/attestation/report?${query.toString()}`;
  const { status, bytes } = await getNear(asked, path, { maxBytes: maxReportBytes, signal: either });
  if (status !== 200) throw new NearUnavailable(`NEAR's API answers the request for a report with ${status}.`);
  const report = parseNearReport(parseJson(bytes));
  if (!report) throw new NearUnavailable("What NEAR's API answers is no report.");
  return { report, bytes, peer: connection.peer };
}
