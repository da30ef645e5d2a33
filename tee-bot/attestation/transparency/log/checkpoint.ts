/**
 * A static log's head as a signed note (c2sp.org/tlog-checkpoint, c2sp.org/signed-note, c2sp.org/static-ct-api).
 *
 *     log.example/2026h2                 origin
 *     20852163                           size
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 *     — log.example/2026h2 base64(key id 4 ‖ timestamp 8 ‖ DigitallySigned)
 */
import { createHash } from "node:crypto";
import { AppError } from "../../../../shared/errors.ts";
import type { TreeHead } from "./certificate-log.ts";
import { isSignedHead, type LogKey } from "./log-key.ts";
import { hashBytes } from "./merkle.ts";
import { maxTreeSize } from "./tiles.ts";

/** Sixteen signatures, of which witnesses' may have 5 kB each. */
export const maxCheckpointBytes = 128 * 1024;
const signatureType = 0x05;
const keyIdBytes = 4;
const timestampBytes = 8;

/**
 * The head that the log has signed. Without a key nothing is checked, and the timestamp is the note's word. Throws
 * `upstream-unavailable` when it is no checkpoint, `evidence-rejected` when it is not signed with the log's key.
 */
export function parseCheckpoint(text: string, key: LogKey | undefined): TreeHead {
  const split = text.lastIndexOf("\n\n");
  const [origin = "", size = "", root64 = ""] = text.slice(0, Math.max(split, 0)).split("\n");
  const root = Buffer.from(root64, "base64");
  if (origin === "" || !/^(0|[1-9]\d{0,15})$/.test(size) || Number(size) > maxTreeSize || root.length !== hashBytes)
    throw new AppError("upstream-unavailable", "What the log gives as its checkpoint is none.");
  const signatures = readSignatures(text.slice(split + 2)).filter(({ name }) => name === origin);

  if (!key) {
    const [first] = signatures;
    return { size: Number(size), root, timestamp: first ? timestampOf(first.signature) : 0 };
  }
  const id = keyIdOf(origin, key);
  for (const { keyId, signature } of signatures) {
    if (!keyId.equals(id)) continue;
    const head = { size: Number(size), root, timestamp: timestampOf(signature) };
    if (isSignedHead(head, signature.subarray(timestampBytes), key)) return head;
  }
  throw new AppError("evidence-rejected", "The log's checkpoint is not signed with the log's key.");
}

/** The first bytes of SHA-256 over name, newline, type and log id. */
export function keyIdOf(origin: string, { id }: LogKey): Buffer {
  const hash = createHash("sha256").update(`${origin}\n`).update(Uint8Array.of(signatureType)).update(id).digest();
  return hash.subarray(0, keyIdBytes);
}

function readSignatures(text: string): { name: string; keyId: Buffer; signature: Buffer }[] {
  return text.split("\n").flatMap((line) => {
    const [, name, encoded] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? [];
    if (name === undefined || encoded === undefined) return [];
    const bytes = Buffer.from(encoded, "base64");
    if (bytes.length < keyIdBytes + timestampBytes) return [];
    return [{ name, keyId: bytes.subarray(0, keyIdBytes), signature: bytes.subarray(keyIdBytes) }];
  });
}

function timestampOf(signature: Buffer): number {
  const timestamp = Number(signature.readBigUInt64BE(0));
  return Number.isSafeInteger(timestamp) ? timestamp : 0;
}
