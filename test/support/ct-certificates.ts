/** Certificates as CAs submit them to logs, by a CA of the test's own. */
import { createHash, generateKeyPairSync, randomBytes, webcrypto } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate } from "@peculiar/asn1-x509";
import { Extension, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";
import type { SubmittedEntry } from "./ct-log.ts";

export interface IssuedCertificate {
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  readonly spkiSha256: string;
  readonly certificate: SubmittedEntry;
  /** Its precertificate: the same serial number and key. */
  readonly precertificate: SubmittedEntry;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** RFC 6962 §3.1: critical, of NULL. */
const poison = new Extension("1.3.6.1.4.1.11129.2.4.3", true, Uint8Array.of(5, 0).buffer);

/** A new key and a certificate for it. */
export async function issue(
  names: readonly string[],
  { notAfter }: { notAfter?: Date } = {},
): Promise<IssuedCertificate> {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const ca = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const caSpki = ca.publicKey.export({ type: "spki", format: "der" });
  const common = {
    serialNumber: randomBytes(8).toString("hex"),
    subject: "",
    issuer: "CN=Test CA, O=Stand-in",
    notBefore: new Date(Date.now() - 60_000),
    notAfter: notAfter ?? new Date(Date.now() + 90 * 86_400_000),
    signingAlgorithm: algorithm,
    publicKey: await webcrypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]),
    signingKey: ca.privateKey.toCryptoKey(algorithm, false, ["sign"]),
  };
  const san = new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value })));
  const certificate = await X509CertificateGenerator.create({ ...common, extensions: [san] });
  const poisoned = await X509CertificateGenerator.create({ ...common, extensions: [san, poison] });
  const { tbsCertificate } = AsnConvert.parse(certificate.rawData, Certificate);
  return {
    spkiSha256: createHash("sha256").update(spki).digest("hex"),
    certificate: { der: Buffer.from(certificate.rawData) },
    precertificate: {
      der: Buffer.from(AsnConvert.serialize(tbsCertificate)),
      precertificate: Buffer.from(poisoned.rawData),
      issuerKeyHash: createHash("sha256").update(caSpki).digest(),
    },
  };
}

/** Entries that are for nobody here; what is in them is no certificate at all. */
export function others(count: number): SubmittedEntry[] {
  return Array.from({ length: count }, () => ({ der: randomBytes(200) }));
}
