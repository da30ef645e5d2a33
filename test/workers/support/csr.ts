import {
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  type Extension,
  type JsonGeneralNames,
} from "@peculiar/x509";

export const p256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export interface CsrParts {
  algorithm?: object;
  names?: JsonGeneralNames | string[];
  subject?: string;
  extensions?: Extension[];
  keys?: CryptoKeyPair;
}

export async function keysFor(algorithm: object = p256): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(algorithm as { name: string }, true, ["sign", "verify"])) as CryptoKeyPair;
}

/** PEM. */
export async function makeCsr({
  algorithm = p256,
  names = [],
  subject = "",
  extensions,
  keys,
}: CsrParts): Promise<string> {
  const items = names.map((name) => (typeof name === "string" ? { type: "dns" as const, value: name } : name));
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: keys ?? (await keysFor(algorithm)),
    signingAlgorithm: algorithm as { name: string },
    extensions: extensions ?? (items.length > 0 ? [new SubjectAlternativeNameExtension(items)] : []),
  });
  return csr.toString("pem");
}

/** The same PEM with bytes changed behind the base64. */
export function withBytes(pem: string, change: (der: Uint8Array) => Uint8Array): string {
  const base64 = pem.replaceAll(/-----[^-]+-----|\s/g, "");
  const der = change(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}
