import { randomBytes } from "node:crypto";
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import type { Policy } from "../../../shared/attestation/policy.ts";
import { nonceBytes } from "../../../shared/attestation/report-data.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { TrustRoot, VerifyQuote } from "../verify/verification.ts";
import { checkGpu } from "./check-gpu.ts";
import { fetchReport } from "./fetch-report.ts";
import type { ModelReport } from "./model-report.ts";
import type { NearApi } from "./near-api.ts";
import type { SigningAlgorithm } from "./signing-key.ts";
import { verifyReport } from "./verify-report.ts";

export interface VerifyModelOptions {
  readonly api: Omit<NearApi, "dispatcher">;
  readonly algorithm: SigningAlgorithm;
  readonly verifyQuote: VerifyQuote;
  readonly policy: Policy;
  readonly trust: TrustRoot;
  /** Undefined: it could not be got. */
  readonly collateral: (quote: Uint8Array, signal: AbortSignal) => Promise<Collateral | undefined>;
  /** NVIDIA's, or what stands in for it. */
  readonly gpuService: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** 32 bytes that nobody could know before; undefined: they are drawn here. */
  readonly nonce?: Uint8Array | undefined;
}

/** With what only who was on the connection can know. */
export interface FreshReport extends ModelReport {
  /** SHA-256 of the key of the certificate on the connection that it came by, hex; undefined: there was no TLS. */
  readonly peer: string | undefined;
}

/** Asks NEAR for evidence of one model, with a nonce of ours, and looks at all of it. Throws {@link NearUnavailable}. */
export async function verifyModel(
  model: string,
  signal: AbortSignal,
  options: VerifyModelOptions,
): Promise<FreshReport> {
  const { clock, gpuService, fetch, collateral } = options;
  const nonce = options.nonce ?? randomBytes(nonceBytes);
  const { report, bytes, peer } = await fetchReport({ ...options, model, nonce, signal });
  const at = clock.now();
  const verified = await verifyReport(report, {
    ...options,
    model,
    nonce,
    peer,
    at: { seconds: Math.floor(at / 1_000), clock: "this node's clock" },
    collateral: (quote) => collateral(quote, signal),
    checkGpu: (payload, asked) => checkGpu(payload, asked, { service: gpuService, fetch, clock, signal }),
  });
  return { model, at, ...verified, evidence: bytes, peer };
}
