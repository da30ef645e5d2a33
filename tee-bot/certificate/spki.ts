import { createHash, X509Certificate } from "node:crypto";

/** SHA-256 of a SubjectPublicKeyInfo (DER), hex: how a key is named wherever TLS keys are compared. */
export function digestOfSpki(spki: Uint8Array): string {
  return createHash("sha256").update(spki).digest("hex");
}

/** The same of the key that a certificate (PEM) is for. */
export function spkiSha256Of(certificatePem: string): string {
  return digestOfSpki(new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" }));
}
