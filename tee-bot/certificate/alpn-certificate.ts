import { createHash, KeyObject, webcrypto } from "node:crypto";
import { Extension, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";

/** RFC 8737 §6.1: id-pe-acmeIdentifier. */
export const acmeIdentifierOid = "1.3.6.1.5.5.7.1.31";
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const lifetimeMs = 7 * 86_400_000; // means nothing to the CA, which looks at the extension only

export interface AlpnCertificate {
  /** Both PEM. */
  readonly certificate: string;
  readonly key: string;
}

/**
 * The self-signed certificate that answers `tls-alpn-01` for one name (RFC 8737 §3): the name alone in the SAN, and in
 * a critical extension the SHA-256 of the key authorization, as an OCTET STRING. Its key is used for nothing else.
 */
export async function createAlpnCertificate(
  hostname: string,
  keyAuthorization: string,
  now: number,
): Promise<AlpnCertificate> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const digest = createHash("sha256").update(keyAuthorization).digest();
  const octetString = Uint8Array.of(0x04, digest.length, ...digest);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${hostname.slice(0, maxCommonNameLength)}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - lifetimeMs),
    notAfter: new Date(now + lifetimeMs),
    extensions: [
      new SubjectAlternativeNameExtension([{ type: "dns", value: hostname }]),
      new Extension(acmeIdentifierOid, true, octetString),
    ],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate: certificate.toString("pem"), key };
}

const maxCommonNameLength = 64; // RFC 5280, ub-common-name
