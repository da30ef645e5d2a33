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
