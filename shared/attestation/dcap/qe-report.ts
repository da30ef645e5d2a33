/**
 * The quoting enclave that signs quotes: its own report, an SGX REPORT body (Intel SGX SDM vol. 3D, table 39-21):
 *
 *   0 CPUSVN 16 | 16 MISCSELECT 4 | 48 ATTRIBUTES 16 | 64 MRENCLAVE 32 | 128 MRSIGNER 32
 *   256 ISVPRODID 2 | 258 ISVSVN 2 | 320 REPORTDATA 64
 */
import { fromHex, toHex } from "../../hex.ts";
import { sameBytes } from "./certificate-chain.ts";
import { ecdsaSha256, isSignedBy, p256, type Certificate } from "./certificate.ts";
import type { TdxQuote } from "./quote.ts";
import { rejected } from "../rejected.ts";
import type { QeIdentity } from "./qe-identity.ts";

const debug = 0x02;

/**
 * Throws unless the platform's key has signed for the quoting enclave, it for the attestation key, and that key for the
 * quote (Intel TDX DCAP Quoting Library API, appendix A.3.9).
 */
export async function verifyQuoteSignature(quote: TdxQuote, pck: Certificate): Promise<void> {
  const { qeReport, qeReportSignature, attestationKey, qeAuthData, signature, signed } = quote;
  if (!(await isSignedBy({ signed: qeReport, signature: qeReportSignature }, pck.publicKey)))
    throw rejected("The platform's key has not signed for this quoting enclave.");

  const bound = new Uint8Array(64); // SHA-256 ‖ zeros
  const keyAndData = new Uint8Array([...attestationKey, ...qeAuthData]);
  bound.set(new Uint8Array(await crypto.subtle.digest("SHA-256", keyAndData)));
  if (!sameBytes(qeReport.subarray(320, 384), bound))
    throw rejected("The quoting enclave speaks for another attestation key.");

  const point = new Uint8Array([4, ...attestationKey]);
  const key = await crypto.subtle.importKey("raw", point, p256, false, ["verify"]).catch(() => undefined);
  if (!key || !(await crypto.subtle.verify(ecdsaSha256, key, signature, signed)))
    throw rejected("The quote's signature is not by its attestation key: its content was changed.");
}

/** Why the enclave in the report is not Intel's quoting enclave; undefined when it is. */
export function findQeFault(qeReport: Uint8Array, identity: QeIdentity): string | undefined {
  const at = (start: number, length: number): Uint8Array => qeReport.subarray(start, start + length);
  const view = new DataView(qeReport.buffer, qeReport.byteOffset, qeReport.length);
  if (((qeReport[48] ?? debug) & debug) !== 0) return "The quoting enclave can be debugged.";
  if (toHex(at(128, 32)) !== identity.mrsigner) return "The quoting enclave is by another signer than Intel's.";
  if (view.getUint16(256, true) !== identity.isvprodid) return "The quoting enclave is another product.";
  if (!matchesMasked([...at(16, 4)], identity.miscselect, identity.miscselectMask))
    return "The quoting enclave's MISCSELECT is not Intel's.";
  if (!matchesMasked([...at(48, 16)], identity.attributes, identity.attributesMask))
    return "The quoting enclave's attributes are not Intel's.";
  return undefined;
}

/** Its security version, by which its TCB level goes. */
export function qeSecurityVersion(qeReport: Uint8Array): number {
  return new DataView(qeReport.buffer, qeReport.byteOffset, qeReport.length).getUint16(258, true);
}

function matchesMasked(actual: readonly number[], wanted: string, mask: string): boolean {
  const [wantedBytes, maskBytes] = [fromHex(wanted), fromHex(mask)];
  return (
    wantedBytes?.length === actual.length &&
    maskBytes?.length === actual.length &&
    actual.every((byte, at) => (byte & (maskBytes[at] ?? 0xff)) === ((wantedBytes[at] ?? 0) & (maskBytes[at] ?? 0xff)))
  );
}
