/**
 * Where the parts of a tree stand in a static log (c2sp.org/static-ct-api, "Merkle Tree"). A tile has 256 neighbours of
 * one level; each hash of level n is the root of a whole tile of level n - 1. What does not fill a tile yet stands in a
 * partial one at the right edge, and its root nowhere else.
 */
export const tileWidth = 256;
/** RFC 6962 trees have fewer than 2^48 entries by the six levels the API has. */
export const maxTreeSize = 2 ** 48 - 1;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** How many of 256 it has. */
  readonly width: number;
}

/** `tile/1/x001/x234/067.p/17`; the level `data` has the entries themselves, of which level 0 has the hashes. */
export function tilePath({ level, index, width }: Omit<Tile, "level"> & { level: number | "data" }): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${path}${width < tileWidth ? `.p/${width}` : ""}`;
}

/** The partial tiles of a tree, of the highest level first. They decide its root. */
export function edgeTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
    const width = count % tileWidth;
    if (width > 0) tiles.unshift({ level, index: Math.floor(count / tileWidth), width });
  }
  return tiles;
}

/** How many hashes a tile has in a tree. */
export function widthIn(size: number, level: number, index: number): number {
  const count = Math.floor(size / tileWidth ** level);
  return Math.max(0, Math.min(tileWidth, count - index * tileWidth));
}
