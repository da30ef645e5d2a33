import { createHash } from "node:crypto";
import type { SigningKey } from "./signing-key.ts";

/** The two halves of a quote's report data as NEAR fills them (cloud-api, attestation/report.rs), hex. */
export interface NearReportData {
  /** The address, filled with zeros; with a certificate SHA256(address ‖ fingerprint). */
  readonly key: string;
  readonly nonce: string;
}

const halfBytes = 32;

/** `fingerprint`: SHA-256 of the SubjectPublicKeyInfo of the machine's certificate, hex. */
export function nearReportData(
  { address }: SigningKey,
  fingerprint: string | undefined,
  nonce: Uint8Array,
): NearReportData {
  const key =
    fingerprint === undefined
      ? address.padEnd(2 * halfBytes, "0")
      : createHash("sha256").update(Buffer.from(address, "hex")).update(Buffer.from(fingerprint, "hex")).digest("hex");
  return { key, nonce: Buffer.from(nonce).toString("hex") };
}

export function splitReportData(reportData: string): NearReportData {
  return { key: reportData.slice(0, 2 * halfBytes), nonce: reportData.slice(2 * halfBytes) };
}
