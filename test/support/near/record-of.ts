/** What a gateway records of a model at the stand-in for NEAR AI Cloud, under the root of a simulator. */
import { policySchema } from "../../../shared/attestation/policy.ts";
import { systemClock } from "../../../shared/clock.ts";
import { recordModel } from "../../../tee-bot/attestation/near/model-record.ts";
import { verifyQuote } from "../../../tee-bot/attestation/verify/verify-quote.ts";
import type { NearCloud } from "./near-cloud.ts";

type RecordOptions = Parameters<typeof recordModel>[2];

export interface RecordOfOptions extends Pick<RecordOptions, "trust" | "nonce"> {
  readonly model: string;
  readonly collateral: Awaited<ReturnType<RecordOptions["collateral"]>>;
  readonly signal: AbortSignal;
}

export function recordOf(
  cloud: NearCloud,
  { model, collateral, signal, ...options }: RecordOfOptions,
): ReturnType<typeof recordModel> {
  return recordModel(model, signal, {
    ...options,
    api: { origin: cloud.url, basePath: "/v1", headers: ["authorization", "Bearer sk-test"] },
    algorithm: "ecdsa",
    verifyQuote,
    policy: policySchema.parse({}),
    collateral: () => Promise.resolve(collateral),
    gpuService: "http://127.0.0.1:1",
    fetch,
    clock: systemClock,
  });
}
