/** The public key of a log, and the signature it puts under each head. RFC 6962 §2.1.4, §3.2, §3.5. */
import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";
import { AppError } from "../../../../shared/errors.ts";
import type { TreeHead } from "./certificate-log.ts";

export interface LogKey {
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

/** RFC 5246 §7.4.1.4.1. */
const sha256Algorithm = 4;
const signatureAlgorithms: Readonly<Record<number, string>> = { 1: "rsa", 3: "ec" };
const version1 = 0;
const treeHashType = 1;

/** Of base64 (a SubjectPublicKeyInfo, as lists of logs have it). Throws `bad-request`. */
export function parseLogKey(text: string): LogKey {
  try {
    const der = Buffer.from(text, "base64");
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    return { id: createHash("sha256").update(der).digest(), key };
  } catch (error) {
    throw new AppError("bad-request", "The log's key is no base64 of a SubjectPublicKeyInfo.", { cause: error });
  }
}

/**
 *     struct { HashAlgorithm 1, SignatureAlgorithm 1, opaque signature<0..2^16-1> } DigitallySigned
 *     over   { version 1, signature_type 1, timestamp 8, tree_size 8, sha256_root_hash 32 }
 */
export function isSignedHead({ size, root, timestamp }: TreeHead, signature: Uint8Array, { key }: LogKey): boolean {
  const bytes = Buffer.from(signature);
  if (bytes.length < 4 || bytes.readUInt16BE(2) !== bytes.length - 4) return false;
  if (bytes[0] !== sha256Algorithm || signatureAlgorithms[bytes[1] ?? 0] !== key.asymmetricKeyType) return false;
  const signed = Buffer.alloc(18);
  signed.writeUInt8(version1, 0);
  signed.writeUInt8(treeHashType, 1);
  signed.writeBigUInt64BE(BigInt(timestamp), 2);
  signed.writeBigUInt64BE(BigInt(size), 10);
  return verify("sha256", Buffer.concat([signed, root]), key, bytes.subarray(4));
}
