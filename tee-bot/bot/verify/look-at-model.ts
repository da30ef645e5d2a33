/** The second layer: where the model runs that answers in this chat, and whether that is a TEE. */
import { AppError } from "../../../shared/errors.ts";
import type { ModelShown } from "../../attestation/client/question.ts";
import type { ModelReport } from "../../attestation/near/model-report.ts";
import { NearUnavailable } from "../../attestation/near/near-api.ts";
import type { Gateway } from "../../gateway/gateway.ts";

/** The model of a chat, as the gateway tells of it. */
export interface ChosenModel {
  readonly name: string;
  readonly provider: string | undefined;
  /** As `GET /v1/models` has it: `local`, `attested`, `plain`. */
  readonly trust: string | undefined;
}

export interface ModelLook {
  /** As the proof file has it. */
  readonly shown: ModelShown;
  /** Undefined: there was no evidence to look at. */
  readonly report: ModelReport | undefined;
}

/** Evidence that cannot be had is `unseen`, never good. */
export async function lookAtModel(
  chosen: ChosenModel | undefined,
  examine: Gateway["examine"],
  { nonce, signal }: { nonce: Uint8Array; signal: AbortSignal },
): Promise<ModelLook> {
  if (!chosen) return { shown: { place: "none" }, report: undefined };
  const { name, provider, trust } = chosen;
  const named = { name, ...(provider !== undefined && { provider }) };
  if (trust === "local") return { shown: { place: "here", ...named }, report: undefined };
  if (trust !== "attested") return { shown: { place: "plain", ...named }, report: undefined };
  try {
    const { report, record } = await examine({ model: name, provider }, nonce, signal);
    return { shown: { place: "attested", ...named, record }, report };
  } catch (error) {
    return { shown: { place: "unseen", ...named, problem: problemOf(error, signal) }, report: undefined };
  }
}

/** What failed otherwise may tell of what it held, so it is only named. */
function problemOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "Its evidence did not come in time.";
  if (error instanceof AppError) return error.detail;
  if (error instanceof NearUnavailable) return error.message;
  return "Its evidence could not be looked at.";
}
