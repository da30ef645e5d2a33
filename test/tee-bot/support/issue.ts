/** Certificates for a key of the caller's, as an issuer would make them: signed by a root of the test's own. */
import { createPublicKey, generateKeyPairSync, webcrypto, X509Certificate, type KeyObject } from "node:crypto";
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const root = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const rootName = "CN=root of the test";
const rootCertificate = await X509CertificateGenerator.createSelfSigned({
  name: rootName,
  keys: root,
  signingAlgorithm: algorithm,
  extensions: [new BasicConstraintsExtension(true, undefined, true)],
});

export const rootPem: string = rootCertificate.toString("pem");

export interface IssueOptions {
  hostnames: readonly string[];
  notBefore: number;
  notAfter: number;
}

/** A chain (PEM, leaf first) for the public half of `key`. */
export async function issue(key: KeyObject, { hostnames, notBefore, notAfter }: IssueOptions): Promise<string> {
  const leaf = await X509CertificateGenerator.create({
    issuer: rootName,
    subject: "",
    publicKey: createPublicKey(key).toCryptoKey(algorithm, true, ["verify"]),
    signingKey: root.privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    extensions: [new SubjectAlternativeNameExtension(hostnames.map((value) => ({ type: "dns", value })))],
  });
  return `${leaf.toString("pem")}\n${rootPem}\n`;
}

/** A chain (PEM, leaf first) that ends in an intermediate; nobody is told the root above it. */
export async function issueUnderIntermediate(key: KeyObject, hostnames: readonly string[]): Promise<string> {
  const middle = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const signed = { signingAlgorithm: algorithm, notAfter: new Date(Date.now() + 86_400_000) };
  const intermediate = await X509CertificateGenerator.create({
    ...signed,
    issuer: "CN=root that nobody has",
    subject: "CN=intermediate of the test",
    publicKey: middle.publicKey,
    signingKey: root.privateKey,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const leaf = await X509CertificateGenerator.create({
    ...signed,
    issuer: intermediate.subject,
    subject: "",
    publicKey: createPublicKey(key).toCryptoKey(algorithm, true, ["verify"]),
    signingKey: middle.privateKey,
    extensions: [new SubjectAlternativeNameExtension(hostnames.map((value) => ({ type: "dns", value })))],
  });
  return `${leaf.toString("pem")}\n${intermediate.toString("pem")}\n`;
}

export const leafOf = (chain: string): X509Certificate => new X509Certificate(chain);

export function newTlsKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}
