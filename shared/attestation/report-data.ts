/**
 * The 64 bytes that a quote carries for us. Whoever asks chooses some of what goes in, so nothing goes in as it came:
 * each use has a tag of its own and everything is hashed below it, or a caller could have any statement signed.
 */
import { joinBytes } from "../bytes.ts";

/** Bytes of a nonce of ours, and of an ACI client; 64 hex characters on the wire. */
export const nonceBytes = 32;
/** Label of the TLS exporter (RFC 5705 §4, RFC 8446 §7.5); its context is the nonce. */
export const exporterLabel = "EXPORTER-postern-attestation-v1";
/** Bytes asked of the exporter. */
export const exporterBytes = 32;

export const connectionTag = "postern:connection:v1";
/** What `POST /tee/quote` binds: bytes of the caller's own choice. */
export const callerTag = "postern:caller:v1";

export interface ConnectionStatement {
  /** SHA-256 of the keyset (32 bytes). */
  readonly keysetDigest: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo of the certificate on this connection (32 bytes). */
  readonly spkiSha256: Uint8Array;
  /** The exporter's value on this connection (32 bytes). */
  readonly exporter: Uint8Array;
  /** The caller's nonce (32 bytes). */
  readonly nonce: Uint8Array;
}

/** SHA512(tag ‖ 0 ‖ keyset digest ‖ SPKI digest ‖ exporter ‖ nonce): every part has 32 bytes, so none can pass for another. */
export async function connectionReportData(statement: ConnectionStatement): Promise<Uint8Array<ArrayBuffer>> {
  const { keysetDigest, spkiSha256, exporter, nonce } = statement;
  for (const part of [keysetDigest, spkiSha256, exporter, nonce])
    if (part.length !== nonceBytes) throw new RangeError(`A part of a connection statement has ${nonceBytes} bytes.`);
  return tagged(connectionTag, [keysetDigest, spkiSha256, exporter, nonce]);
}

/** SHA512(tag ‖ 0 ‖ bytes): what a quote for a caller's own bytes carries. */
export async function callerReportData(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return tagged(callerTag, [bytes]);
}

async function tagged(tag: string, parts: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const whole = joinBytes([new TextEncoder().encode(tag), new Uint8Array(1), ...parts]);
  return new Uint8Array(await crypto.subtle.digest("SHA-512", whole));
}
