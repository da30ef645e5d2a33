/**
 * The certificate by which two Postern processes prove their Ed25519 keys to each other in TLS: self-signed, its
 * key is the identity, everything else in it means nothing. Whoever verifies compares the key, never a chain.
 */
import { X509CertificateGenerator } from "@peculiar/x509";
import type { NodeId } from "../registry/node-id.ts";

const lifetimeMs = 10 * 365 * 86_400_000;

/** DER-encoded certificate for the key pair of `id`. */
export async function createIdentityCertificate(id: NodeId, keys: CryptoKeyPair, now: number): Promise<Uint8Array> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${id}`,
    keys,
    signingAlgorithm: { name: "Ed25519" },
    notBefore: new Date(now - 86_400_000), // the other side's clock may be behind
    notAfter: new Date(now + lifetimeMs),
  });
  return new Uint8Array(certificate.rawData);
}

/** RFC 8410 §4: the SubjectPublicKeyInfo of an Ed25519 key is this prefix and the 32 bytes of the key. */
const spkiPrefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/** The raw key of an Ed25519 SubjectPublicKeyInfo (DER), or undefined for any other key. */
export function ed25519KeyOfSpki(spki: Uint8Array): Uint8Array | undefined {
  if (spki.length !== spkiPrefix.length + 32) return undefined;
  return spkiPrefix.every((byte, at) => spki[at] === byte)
    ? new Uint8Array(spki.subarray(spkiPrefix.length))
    : undefined;
}
