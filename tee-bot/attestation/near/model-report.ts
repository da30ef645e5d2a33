import type { Check, Verdict } from "../../../shared/attestation/check.ts";
import type { Measured } from "../verify/verification.ts";
import type { SigningKey } from "./signing-key.ts";

/** What a verification of one model at NEAR AI Cloud has come to. */
export interface ModelReport {
  readonly model: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly verdict: Verdict;
  /** One sentence for each of `gateway-quote`, `model-quote`, `model-key`, `model-gpu`. */
  readonly checks: readonly Check[];
  /** By which its machines sign; only where nothing failed. */
  readonly keys: readonly SigningKey[];
  readonly measured: readonly Measured[];
  /**
   * SHA-256 of the key of the certificate on the connection that the report came by, hex, which the gateway's quote names
   * as its own; undefined: there was no TLS, or the quote names none.
   */
  readonly gatewayKey: string | undefined;
  /** What was verified, as it came. */
  readonly evidence: Uint8Array;
}
