/**
 * A report of NEAR AI Cloud on one model. Its gateway reads every prompt, and any of the machines that run the model may
 * be given it, so all of them have to be what they say. What NEAR says of itself is not looked at: not its flags, not
 * its copy of the report data.
 */
import { decideVerdict, failed, skip, type Check, type CheckId } from "../../../shared/attestation/check.ts";
import { quoteRequired } from "../../../shared/attestation/policy.ts";
import { checkPeer } from "./check-peer.ts";
import type { ModelReport } from "./model-report.ts";
import type { NearEvidence, NearReport, Unreadable } from "./near-report.ts";
import { summarize, type Part } from "./summarize.ts";
import { verifyEvidence, type EvidenceContext, type EvidenceReport } from "./verify-evidence.ts";
import { isSameKey } from "./signing-key.ts";

export interface ReportContext extends EvidenceContext {
  readonly model: string;
  /** SHA-256 of the key of the certificate on the connection that the report came by; undefined: there was no TLS. */
  readonly peer: string | undefined;
  /** What NVIDIA's service says of a GPU's evidence. */
  readonly checkGpu: (payload: string, nonce: Uint8Array) => Promise<Check>;
}

/** What a quote must have shown; the others may be skipped, and none may fail. */
const evidenceRequired = ["nonce", ...quoteRequired] as const satisfies readonly CheckId[];

/** Without these a model is not verified. `model-gpu` is not among them: NVIDIA's service is often not to be had. */
const requiredOfModel = ["gateway-quote", "model-quote", "model-key"] as const satisfies readonly CheckId[];

export type Verified = Pick<ModelReport, "verdict" | "checks" | "keys" | "measured" | "gatewayKey">;

/** Never throws for what the report says: bad evidence is a failed check. */
export async function verifyReport(report: NearReport, context: ReportContext): Promise<Verified> {
  const gateway = await verifyGateway(report.gateway, context);
  const shown = report.models.filter((evidence) => isOf(evidence, context.model));
  const models: ModelPart[] = [];
  for (const [at, evidence] of shown.entries())
    models.push(await verifyModel(evidence, `machine ${at + 1} of ${shown.length}`, report.gateway, context));
  const required = context.trust.simulated ? evidenceRequired : [...evidenceRequired, "hardware" as const];
  const none = "The report has no evidence of a machine that runs the model.";
  const checks = [
    summarize("gateway-quote", [gateway], required, none),
    summarize("model-quote", models, required, none),
    summarize("model-key", models.map(keyPart), ["model-key"], none),
    summarize("model-gpu", models.map(gpuPart), ["model-gpu"], none),
  ];
  const verdict = decideVerdict(checks, requiredOfModel, context.trust.simulated);
  const isGood = verdict === "verified" || verdict === "simulated";
  return {
    verdict,
    checks,
    keys: isGood ? shown.flatMap((evidence) => ("key" in evidence ? [evidence.key] : [])) : [],
    gatewayKey: isGood && gateway.isPeer ? context.peer : undefined,
    measured: [gateway, ...models].flatMap(({ measured }) => measured ?? []),
  };
}

interface GatewayPart extends Part {
  readonly measured?: EvidenceReport["measured"];
  /** The connection ends in it. */
  readonly isPeer?: boolean;
}

async function verifyGateway(evidence: NearEvidence | Unreadable, context: ReportContext): Promise<GatewayPart> {
  const who = "the gateway";
  if ("unreadable" in evidence) return { who, checks: [failed("quote-format", evidence.unreadable)] };
  const { checks, measured } = await verifyEvidence(evidence, "keyset", context);
  const peer = checkPeer(evidence.fingerprint, context.peer);
  return { who, checks: [...checks, peer], measured, isPeer: peer.outcome === "pass" };
}

interface ModelPart extends Part {
  readonly measured?: EvidenceReport["measured"];
  readonly key: readonly Check[];
  readonly gpu: readonly Check[];
}

async function verifyModel(
  evidence: NearEvidence | Unreadable,
  who: string,
  gateway: NearEvidence | Unreadable,
  context: ReportContext,
): Promise<ModelPart> {
  if ("unreadable" in evidence) return { who, checks: [failed("quote-format", evidence.unreadable)], key: [], gpu: [] };
  const { checks, measured } = await verifyEvidence(evidence, "model-key", context);
  const isKey = ({ id }: Check): boolean => id === "model-key";
  const odd = checkWhose(evidence, gateway);
  return {
    who,
    checks: checks.filter((check) => !isKey(check)),
    key: odd ? [odd] : checks.filter(isKey),
    gpu: [await checkGpu(evidence, context)],
    measured,
  };
}

/** Machines of other models may stand in a report, too; their keys are none of this one's. */
function isOf(evidence: NearEvidence | Unreadable, model: string): boolean {
  return "unreadable" in evidence || evidence.model === undefined || evidence.model === model;
}

/** Evidence that is good, and of somebody else; undefined: it is not. */
function checkWhose(evidence: NearEvidence, gateway: NearEvidence | Unreadable): Check | undefined {
  if ("unreadable" in gateway) return undefined;
  const isGateways = isSameKey(evidence.key, gateway.key) || evidence.quote.quote === gateway.quote.quote;
  return isGateways ? failed("model-key", "What is shown as the model's evidence is the gateway's own.") : undefined;
}

async function checkGpu({ gpu }: NearEvidence, { checkGpu: ask, nonce }: ReportContext): Promise<Check> {
  if (gpu === undefined || gpu === "") return skip("model-gpu", "No evidence of a GPU is shown.");
  return ask(gpu, nonce);
}

const keyPart = ({ who, key }: ModelPart): Part => ({ who, checks: key });
const gpuPart = ({ who, gpu }: ModelPart): Part => ({ who, checks: gpu });
