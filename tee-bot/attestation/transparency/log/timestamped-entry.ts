/**
 * What a log has put its name to (RFC 6962 §3.4), as it stands in data tiles and in the leaves of get-entries.
 *
 *     timestamp 8 | type 2 (0 certificate, 1 precertificate) | issuer_key_hash 32, of precertificates only
 *     | der<1..2^24-1> | extensions<0..2^16-1>
 *     extensions (c2sp.org/static-ct-api): ( type 1 | data<0..2^16-1> )…; leaf_index is type 0, five bytes
 */
import type { LogEntry } from "./certificate-log.ts";
import { hashLeaf } from "./merkle.ts";

export interface HashedEntry extends LogEntry {
  /** Of the MerkleTreeLeaf. */
  readonly leafHash: Uint8Array;
}

/** Version 1, timestamped entry: what stands before a TimestampedEntry in a MerkleTreeLeaf. */
export const leafHeader = Uint8Array.of(0, 0);
const issuerKeyHashBytes = 32;
const leafIndexExtension = 0;

/** The entry at `index` of a log; undefined when it is none, or says it is another. */
export function readTimestampedEntry(reader: EntryReader, index: number): HashedEntry | undefined {
  const start = reader.at;
  const timestamp = reader.uint(4) * 2 ** 32 + reader.uint(4);
  const type = reader.uint(2);
  if (type > 1 || !Number.isSafeInteger(timestamp)) return undefined;
  if (type === 1) reader.take(issuerKeyHashBytes);
  const der = reader.take(reader.uint(3));
  const extensions = reader.take(reader.uint(2));
  if (reader.failed || der.length === 0 || !agrees(extensions, index)) return undefined;
  const leafHash = hashLeaf(leafHeader, reader.since(start));
  return { index, timestamp, kind: type === 1 ? "precertificate" : "certificate", der, leafHash };
}

/** RFC 6962 logs, and static ones that were such, have no `leaf_index`; one that names another entry is wrong. */
function agrees(extensions: Uint8Array, index: number): boolean {
  const reader = new EntryReader(extensions);
  while (reader.at < extensions.length && !reader.failed) {
    const type = reader.uint(1);
    const data = new EntryReader(reader.take(reader.uint(2)));
    if (type === leafIndexExtension && (data.uint(1) * 2 ** 32 + data.uint(4) !== index || data.failed)) return false;
  }
  return !reader.failed;
}

/** Reading past the end gives nothing and sets `failed`. */
export class EntryReader {
  readonly #bytes: Buffer;
  at = 0;
  failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Of up to four bytes, big-endian. */
  uint(bytes: number): number {
    const taken = this.take(bytes);
    return this.failed ? 0 : taken.readUIntBE(0, bytes);
  }

  take(bytes: number): Buffer {
    const end = this.at + bytes;
    if (end > this.#bytes.length) {
      this.failed = true;
      this.at = this.#bytes.length;
      return Buffer.alloc(0);
    }
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  since(start: number): Buffer {
    return this.#bytes.subarray(start, this.at);
  }
}
