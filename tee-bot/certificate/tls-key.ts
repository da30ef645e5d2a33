/** The P-256 key behind the public name, kept with mode 0600 where it is a file, and never sent anywhere. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import { readKeyFile } from "../../shared/nodejs/identity-file.ts";

export interface TlsKey {
  readonly pem: string;
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo (DER): what a certificate of this key carries. */
  readonly spki: Buffer;
}

/** Reads the key, or makes one at the first start. */
export function readOrCreateTlsKey(path: string): TlsKey {
  const existing = readKeyFile(path);
  if (existing !== undefined) return tlsKeyOfPem(existing, path);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  writeFileAtomic(path, pem, 0o600);
  return tlsKeyOfPem(pem, path);
}

/** `source` is where it comes from, for messages. Throws {@link AppError} unless it is a P-256 key. */
export function tlsKeyOfPem(pem: string, source: string): TlsKey {
  const remedy = "Move it away and a new one is made.";
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (error) {
    throw new AppError("bad-request", `${source} is not a PEM private key. ${remedy}`, { cause: error });
  }
  if (privateKey.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new AppError("bad-request", `${source} is not a P-256 key. ${remedy}`);
  return { pem, privateKey, spki: createPublicKey(privateKey).export({ type: "spki", format: "der" }) };
}
