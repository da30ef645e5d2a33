/** A certificate for tests, by the development CA's own code path: a root and a leaf for `hostnames`. */
import { X509Certificate, generateKeyPairSync, webcrypto, type KeyObject } from "node:crypto";
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly leaf: X509Certificate;
}

export interface TestCertificateOptions {
  hostnames: readonly string[];
  notBefore?: Date;
  notAfter?: Date;
  /** P-256; undefined: a new one. */
  privateKey?: KeyObject;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Self-signed, so that it is its own root. */
export async function createTestCertificate({
  hostnames,
  notBefore,
  notAfter,
  privateKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
}: TestCertificateOptions): Promise<TestCertificate> {
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const signing = await webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const { d: _, ...jwk } = privateKey.export({ format: "jwk" });
  const verifying = await webcrypto.subtle.importKey("jwk", jwk as webcrypto.JsonWebKey, algorithm, true, ["verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${hostnames[0]}`,
    keys: { privateKey: signing, publicKey: verifying },
    signingAlgorithm: algorithm,
    notBefore: notBefore ?? new Date(Date.now() - 60_000),
    notAfter: notAfter ?? new Date(Date.now() + 3_600_000),
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new SubjectAlternativeNameExtension(hostnames.map((value) => ({ type: "dns", value }))),
    ],
  });
  const text = certificate.toString("pem");
  return { certificate: text, key: pem, leaf: new X509Certificate(text) };
}
