/** Proofs that an entry stands in a tree (RFC 6962 §2.1.1), and what they tell of the tree before that entry. */
import { hashChildren, sameHash } from "./merkle.ts";

export interface AuditPath {
  readonly index: number;
  readonly leafHash: Uint8Array;
  /** From the leaf up. */
  readonly path: readonly Uint8Array[];
}

/**
 * The perfect trees over all entries before `index`, largest first; undefined when the path does not lead to the root.
 * They are the path's left neighbours: whoever has them has the root of the tree as it was when it had `index` entries,
 * proved to be the beginning of this one (RFC 9162 §2.1.3.2 for the way up).
 */
export function provePrefix(
  { index, leafHash, path }: AuditPath,
  { size, root }: { size: number; root: Uint8Array },
): Uint8Array[] | undefined {
  if (index >= size) return undefined;
  const perfect: Uint8Array[] = [];
  let [at, last, hash] = [index, size - 1, leafHash];
  for (const neighbour of path) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      perfect.unshift(neighbour);
      hash = hashChildren(neighbour, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = hashChildren(hash, neighbour);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameHash(hash, root) ? perfect : undefined;
}

/** The perfect trees after one more entry: two of one size become one. `count` is how many entries there were. */
export function appendLeaf(perfect: readonly Uint8Array[], count: number, leafHash: Uint8Array): Uint8Array[] {
  const grown = [...perfect];
  let hash = leafHash;
  for (let left = count; left % 2 === 1; left = Math.floor(left / 2)) hash = hashChildren(grown.pop()!, hash);
  return [...grown, hash];
}
