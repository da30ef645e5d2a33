/**
 * Bytes that say where they belong: every place of every stream has its own, so that a byte that is changed, lost,
 * repeated, out of place or another visitor's is seen. Both ends make them from the stream's seed.
 */
import { seededRandom } from "../fuzz/random.ts";

const pieceBytes = 64 * 1024;
const poolBytes = 1 << 20;
const pool = createPool();

/** The bytes of a stream from `at` on: as many as lie together, at most `maxBytes`. Not to be written to. */
export function bytesOf(seed: number, at: number, maxBytes: number): Buffer {
  const piece = Math.floor(at / pieceBytes);
  const from = startOf(seed, piece) + (at % pieceBytes);
  const length = Math.min(maxBytes, pieceBytes - (at % pieceBytes));
  return pool.subarray(from, from + length);
}

/** A whole stream, piece by piece. */
export function* piecesOf(seed: number, bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes;) {
    const piece = bytesOf(seed, at, bytes - at);
    yield piece;
    at += piece.length;
  }
}

/** Where `chunk`, found at `at` of the stream, begins to differ from it; undefined when it does not. */
export function differsAt(seed: number, at: number, chunk: Buffer): number | undefined {
  for (let checked = 0; checked < chunk.length;) {
    const expected = bytesOf(seed, at + checked, chunk.length - checked);
    const found = chunk.subarray(checked, checked + expected.length);
    if (!expected.equals(found)) return at + checked + found.findIndex((byte, index) => byte !== expected[index]);
    checked += expected.length;
  }
  return undefined;
}

function startOf(seed: number, piece: number): number {
  return seededRandom(Math.imul(seed, 0x9e3779b1) ^ piece).below(poolBytes);
}

function createPool(): Buffer {
  const random = seededRandom(1);
  const words = Uint32Array.from({ length: (poolBytes + pieceBytes) / 4 }, () => random.below(2 ** 32));
  return Buffer.from(words.buffer);
}
