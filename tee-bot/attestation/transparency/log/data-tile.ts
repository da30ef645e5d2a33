/**
 * The entries of a data tile (c2sp.org/static-ct-api, "Log entries").
 *
 *     TimestampedEntry | pre_certificate<1..2^24-1>, of precertificates only | fingerprint 32, …<0..2^16-1>
 */
import { EntryReader, readTimestampedEntry, type HashedEntry } from "./timestamped-entry.ts";

/** 256 entries have about 1 MB; one entry could have 48 MB by its format. */
export const maxDataTileBytes = 32 * 1024 * 1024;

/** The first `count` entries of the tile that begins at `first`; undefined when they are not there as they should be. */
export function parseDataTile(bytes: Uint8Array, first: number, count: number): HashedEntry[] | undefined {
  const reader = new EntryReader(bytes);
  const entries: HashedEntry[] = [];
  while (entries.length < count) {
    const entry = readTimestampedEntry(reader, first + entries.length);
    if (entry?.kind === "precertificate") reader.take(reader.uint(3)); // as it was submitted, which no hash covers
    reader.take(reader.uint(2)); // the chain, by fingerprints
    if (!entry || reader.failed) return undefined;
    entries.push(entry);
  }
  return entries;
}
