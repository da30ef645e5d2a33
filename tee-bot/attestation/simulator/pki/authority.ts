/** Certificates with P-256 keys, as an authority issues them. */
import { createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonName,
  type X509Certificate,
} from "@peculiar/x509";

export interface Holder {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

export interface CertificateRequest {
  /** As `CN=…, O=…`, or in parts, where somebody else has chosen them. */
  readonly name: string | JsonName;
  readonly publicKey: KeyObject;
  /** How many authorities may stand below; without it the holder issues nothing. */
  readonly pathLength?: number;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions?: readonly Extension[];
}

export const signingAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const serialNumberBytes = 16;

/** A private key; its public one is {@link publicKeyOf}. */
export function generateKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

export function publicKeyOf(key: KeyObject): KeyObject {
  return createPublicKey(key);
}

export function signingKeyOf(key: KeyObject): CryptoKey {
  return key.toCryptoKey(signingAlgorithm, false, ["sign"]);
}

/** Without an issuer the certificate is signed by the key itself, which `selfSigned` then is. */
export async function issueCertificate(
  { name, publicKey, pathLength, notBefore, notAfter, extensions = [] }: CertificateRequest,
  issuer: Holder | { readonly selfSigned: KeyObject },
): Promise<X509Certificate> {
  const spki = publicKey.export({ type: "spki", format: "der" });
  const isAuthority = pathLength !== undefined;
  const self = "selfSigned" in issuer;
  const usage = isAuthority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  return X509CertificateGenerator.create({
    serialNumber: positiveSerial(),
    subject: name,
    issuer: self ? name : issuer.certificate.subjectName,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    publicKey: spki,
    signingKey: signingKeyOf(self ? issuer.selfSigned : issuer.key),
    signingAlgorithm,
    extensions: [
      await AuthorityKeyIdentifierExtension.create(self ? spki : issuer.certificate.publicKey),
      await SubjectKeyIdentifierExtension.create(spki),
      new KeyUsagesExtension(usage, true),
      new BasicConstraintsExtension(isAuthority, pathLength, true),
      ...extensions,
    ],
  });
}

/** Hex of a serial number whose DER form has no leading zero, as lists of revoked ones write it too. */
function positiveSerial(): string {
  const bytes = randomBytes(serialNumberBytes);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString("hex");
}
