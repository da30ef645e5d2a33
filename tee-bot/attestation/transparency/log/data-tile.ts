/**
 * The entries of a data tile (c2sp.org/static-ct-api, "Log entries"; RFC 6962 §3.4).
 *
 *     TimestampedEntry | pre_certificate<1..2^24-1>, of precertificates only | fingerprint 32, …<0..2^16-1>
 *     TimestampedEntry: timestamp 8 | type 2 (0 certificate, 1 precertificate)
 *                       | issuer_key_hash 32, of precertificates only | der<1..2^24-1> | extensions<0..2^16-1>
 */
import type { LogEntry } from "./certificate-log.ts";
import { hashLeaf } from "./merkle.ts";

/** 256 entries have about 1 MB; one entry could have 48 MB by its format. */
export const maxDataTileBytes = 32 * 1024 * 1024;

export interface TileEntry extends LogEntry {
  /** Of the MerkleTreeLeaf. */
  readonly leafHash: Uint8Array;
}

/** Version 1, timestamped entry: what stands before a TimestampedEntry in a MerkleTreeLeaf. */
const leafHeader = Uint8Array.of(0, 0);
const issuerKeyHashBytes = 32;
const leafIndexExtension = 0;

/** The first `count` entries of the tile that begins at `first`; undefined when they are not there as they should be. */
export function parseDataTile(bytes: Uint8Array, first: number, count: number): TileEntry[] | undefined {
  const reader = new TileReader(bytes);
  const entries: TileEntry[] = [];
  while (entries.length < count && !reader.failed) {
    const entry = readEntry(reader, first + entries.length);
    if (!entry) return undefined;
    entries.push(entry);
  }
  return reader.failed ? undefined : entries;
}

function readEntry(reader: TileReader, index: number): TileEntry | undefined {
  const start = reader.at;
  const timestamp = reader.uint(4) * 2 ** 32 + reader.uint(4);
  const type = reader.uint(2);
  if (type > 1 || !Number.isSafeInteger(timestamp)) return undefined;
  if (type === 1) reader.take(issuerKeyHashBytes);
  const der = reader.take(reader.uint(3));
  const extensions = reader.take(reader.uint(2));
  const leafHash = hashLeaf(leafHeader, reader.since(start));
  if (type === 1) reader.take(reader.uint(3)); // the precertificate as it was submitted, which no hash covers
  reader.take(reader.uint(2)); // the chain, by fingerprints
  if (reader.failed || der.length === 0 || !agrees(extensions, index)) return undefined;
  return { index, timestamp, kind: type === 1 ? "precertificate" : "certificate", der, leafHash };
}

/** Logs that were RFC 6962's once have no `leaf_index`; one that names another entry is wrong. */
function agrees(extensions: Uint8Array, index: number): boolean {
  const reader = new TileReader(extensions);
  while (reader.at < extensions.length && !reader.failed) {
    const type = reader.uint(1);
    const data = new TileReader(reader.take(reader.uint(2)));
    if (type === leafIndexExtension && (data.uint(1) * 2 ** 32 + data.uint(4) !== index || data.failed)) return false;
  }
  return !reader.failed;
}

/** Reading past the end gives nothing and sets `failed`. */
class TileReader {
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
