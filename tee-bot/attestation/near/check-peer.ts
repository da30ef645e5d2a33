import { failed, pass, skip, type Check } from "../../../shared/attestation/check.ts";

/**
 * Whether the connection that the evidence came by ends in the VM that the evidence is of. `fingerprint`: what the quote
 * carries, `peer`: what the connection has shown, SHA-256 of a key, hex.
 */
export function checkPeer(fingerprint: string | undefined, peer: string | undefined): Check {
  const id = "connection-key";
  if (peer === undefined) return skip(id, "The connection was not encrypted, so it has no key.");
  if (fingerprint === undefined) return skip(id, "The quote names no key of a certificate.");
  return fingerprint === peer
    ? pass(id, "The certificate on the connection has the key that the quote names.")
    : failed(id, "The certificate on the connection has another key than the one that the quote names.");
}
