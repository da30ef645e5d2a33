import { createHash, X509Certificate } from "node:crypto";

/** SHA-256 of the SubjectPublicKeyInfo, hex. */
export function spkiSha256Of(certificatePem: string): string {
  const spki = new X509Certificate(certificatePem).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("hex");
}
