/**
 * A session of another node (`GET /v1/aci/sessions/{id}`), in which that node says to have verified a model, judged by
 * ourselves from the evidence in it. The nonce in it was that node's: how fresh it is, is its word.
 */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { z } from "zod";
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import type { Policy } from "../../../shared/attestation/policy.ts";
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { TrustRoot } from "../verify/verification.ts";
import { judgeModelRecord, type ModelRecord } from "./model-record.ts";
import { maxReportBytes, parseNearReport, type NearReport } from "./near-report.ts";
import type { Verified } from "./verify-report.ts";

const sessionSchema = z.object({
  upstream_name: z.string().max(128),
  claims: z.object({ extra: z.object({ model: z.string().max(512) }) }),
  established_at: z.int(),
  expires_at: z.int(),
  evidence: z.object({ data: z.string().max(2 * maxReportBytes) }),
});
/** Each entry of a report repeats the nonce that it was asked with. */
const nonceSchema = z.object({ gateway_attestation: z.object({ request_nonce: z.string().regex(/^[0-9a-f]{64}$/) }) });

export interface JudgeSessionOptions {
  /** By which it was asked for. */
  readonly id: string;
  /** Ours. */
  readonly clock: Pick<Clock, "now">;
  /** Undefined: it cannot be had. */
  readonly collateral: (quote: Uint8Array) => Promise<Collateral | undefined>;
  readonly policy: Policy | undefined;
  readonly trust: TrustRoot | undefined;
}

export interface JudgedSession extends Pick<Verified, "checks"> {
  readonly model: string;
  readonly upstream: string;
  readonly verdict: Verified["verdict"];
  readonly establishedAt: number;
  /** It is older than whoever made it says it may be. */
  readonly isExpired: boolean;
}

/** Throws {@link AppError} for what is no session, or not the one that was asked for. */
export async function judgeSession(document: unknown, options: JudgeSessionOptions): Promise<JudgedSession> {
  const { id, clock, policy, trust } = options;
  const { data: session } = sessionSchema.safeParse(document);
  if (!session || idOf(document) !== id)
    throw new AppError("evidence-rejected", "What the node shows is not the session of that id.");
  const text = /^data:application\/json;base64,(.*)$/s.exec(session.evidence.data)?.[1];
  const report = parseJson(Buffer.from(text ?? "", "base64").toString());
  const nonce = nonceSchema.safeParse(report).data?.gateway_attestation.request_nonce;
  const parsed = parseNearReport(report);
  if (!parsed || nonce === undefined)
    throw new AppError("evidence-rejected", "The session has no evidence of a kind that is known here.");
  const { model } = session.claims.extra;
  const collateral = await collateralFor(parsed, options.collateral);
  const now = Math.floor(clock.now() / 1_000); // after the collateral, which may be made when it is asked for
  const record: ModelRecord = { model, recorded_at: now, nonce, report, collateral };
  const { verdict, checks } = await judgeModelRecord(record, { policy, trust, clock: "this machine's clock" });
  const isExpired = session.expires_at < now;
  return {
    model,
    upstream: session.upstream_name,
    verdict: isExpired && verdict !== "refused" ? "unknown" : verdict,
    establishedAt: session.established_at,
    isExpired,
    checks,
  };
}

/** Asked one after the other: machines of one kind have the same, which a cache knows then. */
async function collateralFor(
  { gateway, models }: NearReport,
  ask: JudgeSessionOptions["collateral"],
): Promise<ModelRecord["collateral"]> {
  const found: ModelRecord["collateral"] = [];
  for (const entry of [gateway, ...models]) {
    if (!("quote" in entry)) continue;
    const quote = Buffer.from(entry.quote.quote, "hex");
    const documents = await ask(quote);
    if (documents) found.push({ quotes: [createHash("sha256").update(quote).digest("hex")], documents });
  }
  return found;
}

function idOf(document: unknown): string | undefined {
  try {
    return createHash("sha256")
      .update(canonicalize(document) ?? "")
      .digest("hex");
  } catch {
    return undefined; // nested beyond what can be walked
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
