/** What both APIs of the guest agent are sent. */
import { AppError } from "../../../shared/errors.ts";
import { toHex } from "../../../shared/hex.ts";
import type { TlsKeyRequest } from "./guest-agent.ts";

/** Of a quote's REPORTDATA (Intel TDX module ABI, TDREPORT). */
export const reportDataBytes = 64;

/** All 64 bytes, filled with zeros on the right. Throws {@link AppError} for more. */
export function reportDataHex(reportData: Uint8Array): string {
  if (reportData.length > reportDataBytes)
    throw new AppError("bad-request", `A quote carries at most ${reportDataBytes} bytes, not ${reportData.length}.`);
  return toHex(reportData).padEnd(2 * reportDataBytes, "0");
}

export function tlsKeyBody(request: TlsKeyRequest): object {
  return {
    subject: request.subject,
    alt_names: request.altNames ?? [],
    usage_ra_tls: request.usageRaTls ?? false,
    usage_server_auth: request.usageServerAuth ?? false,
    usage_client_auth: request.usageClientAuth ?? false,
  };
}
