/**
 * The hash tiles of a static log, each proved to belong to one head before it is used: the partial tiles at the edge by
 * the root itself, a whole one by its hash in the tile above.
 */
import { AppError } from "../../../../shared/errors.ts";
import type { TreeHead } from "./certificate-log.ts";
import { hashBytes, perfectRoots, rootOf, sameHash } from "./merkle.ts";
import { edgeTiles, tileWidth, widthIn, type Tile } from "./tiles.ts";

/** The bytes of a tile. */
export type FetchTile = (tile: Tile, signal: AbortSignal) => Promise<Uint8Array>;

/** 8 KiB each. Neighbouring entries need the same path upwards. */
const maxKeptTiles = 64;

export class ProvedTiles {
  readonly #size: number;
  readonly #fetchTile: FetchTile;
  readonly #edge = new Map<string, readonly Uint8Array[]>();
  readonly #kept = new Map<string, readonly Uint8Array[]>();

  private constructor(size: number, fetchTile: FetchTile) {
    this.#size = size;
    this.#fetchTile = fetchTile;
  }

  /** Throws `evidence-rejected` when the tiles at the edge do not hash to the head's root. */
  static async open(head: TreeHead, fetchTile: FetchTile, signal: AbortSignal): Promise<ProvedTiles> {
    const tiles = new ProvedTiles(head.size, fetchTile);
    const edge = edgeTiles(head.size);
    const hashes = await Promise.all(edge.map(async (tile) => splitHashes(await fetchTile(tile, signal))));
    edge.forEach(({ level, index }, at) => tiles.#edge.set(keyOf(level, index), hashes[at] ?? []));
    if (!sameHash(rootOf(hashes.flatMap(perfectRoots)), head.root))
      throw new AppError("evidence-rejected", `The log's tiles do not hash to its head of ${head.size} entries.`);
    return tiles;
  }

  /** The hashes of a tile that the tree has. */
  async read(level: number, index: number, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const key = keyOf(level, index);
    const known = this.#edge.get(key) ?? this.#kept.get(key);
    if (known) return known;
    const width = widthIn(this.#size, level, index);
    if (width < tileWidth) throw new RangeError(`The tree has no tile ${key}.`);
    const above = await this.read(level + 1, Math.floor(index / tileWidth), signal);
    const hashes = splitHashes(await this.#fetchTile({ level, index, width }, signal));
    if (hashes.length !== tileWidth || !sameHash(rootOf(perfectRoots(hashes)), above[index % tileWidth]))
      throw new AppError("evidence-rejected", `Tile ${key} of the log is not the one that its tree has.`);
    this.#keep(key, hashes);
    return hashes;
  }

  /** The root that the tree had when it was smaller. */
  async rootAt(size: number, signal: AbortSignal): Promise<Uint8Array> {
    const perfect: Uint8Array[] = [];
    for (const { level, index, width } of edgeTiles(size))
      perfect.push(...perfectRoots((await this.read(level, index, signal)).slice(0, width)));
    return rootOf(perfect);
  }

  #keep(key: string, hashes: readonly Uint8Array[]): void {
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= maxKeptTiles && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, hashes);
  }
}

const keyOf = (level: number, index: number): string => `${level}/${index}`;

function splitHashes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / hashBytes) }, (_, at) =>
    bytes.subarray(at * hashBytes, (at + 1) * hashBytes),
  );
}
