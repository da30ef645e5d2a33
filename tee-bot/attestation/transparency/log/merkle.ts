/** Merkle trees of logs (RFC 6962 §2.1): SHA-256 with a byte before it that tells leaves from nodes. */
import { createHash } from "node:crypto";

export const hashBytes = 32;
const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

export function hashLeaf(...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(leafPrefix, ...parts);
}

export function hashChildren(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodePrefix, left, right);
}

/** The roots of the largest perfect trees that `hashes`, siblings of one height, make from left to right. */
export function perfectRoots(hashes: readonly Uint8Array[]): Uint8Array[] {
  const roots: Uint8Array[] = [];
  let from = 0;
  for (let width = 2 ** Math.floor(Math.log2(hashes.length)); width >= 1; width /= 2) {
    if (hashes.length - from < width) continue;
    roots.push(perfectRoot(hashes.slice(from, from + width)));
    from += width;
  }
  return roots;
}

/** The root over perfect trees that shrink from left to right; without any that of the empty tree. */
export function rootOf(perfect: readonly Uint8Array[]): Uint8Array {
  return perfect.length === 0 ? sha256() : perfect.reduceRight((right, left) => hashChildren(left, right));
}

export function sameHash(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
}

/** Of a power of two of hashes. */
function perfectRoot(hashes: readonly Uint8Array[]): Uint8Array {
  let level = hashes;
  while (level.length > 1)
    level = Array.from({ length: level.length / 2 }, (_, at) => hashChildren(level[2 * at]!, level[2 * at + 1]!));
  return level[0]!;
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
