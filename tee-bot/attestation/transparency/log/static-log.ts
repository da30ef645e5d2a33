/** A log that serves files (c2sp.org/static-ct-api), as all of them will: checkpoint, hash tiles, data tiles. */
import { AppError } from "../../../../shared/errors.ts";
import type { CertificateLog, LogEntry, LogTree, TreeHead } from "./certificate-log.ts";
import { maxCheckpointBytes, parseCheckpoint } from "./checkpoint.ts";
import { maxDataTileBytes, parseDataTile } from "./data-tile.ts";
import type { LogHttp } from "./log-http.ts";
import type { LogKey } from "./log-key.ts";
import { hashBytes, sameHash } from "./merkle.ts";
import { ProvedTiles } from "./proved-tiles.ts";
import { tilePath, tileWidth, widthIn, type Tile } from "./tiles.ts";

export interface StaticLogOptions {
  readonly url: string;
  readonly key: LogKey | undefined;
  readonly http: LogHttp;
}

export function openStaticLog({ url, key, http }: StaticLogOptions): CertificateLog {
  return {
    url,
    signed: key !== undefined,
    async fetchHead(signal) {
      const bytes = await http.get("checkpoint", maxCheckpointBytes, signal);
      if (!bytes) throw new AppError("upstream-unavailable", `${url} has no checkpoint: it is no static log.`);
      return parseCheckpoint(new TextDecoder().decode(bytes), key);
    },
    async openTree(head, signal) {
      const fetchHashes = async (tile: Tile, within: AbortSignal): Promise<Uint8Array> => {
        const bytes = await fetchTile(http, tile, tileWidth * hashBytes, within);
        return bytes.subarray(0, tile.width * hashBytes);
      };
      const hashes = await ProvedTiles.open(head, fetchHashes, signal);
      return new StaticTree(head, hashes, http);
    },
  };
}

class StaticTree implements LogTree {
  readonly #head: TreeHead;
  readonly #hashes: ProvedTiles;
  readonly #http: LogHttp;

  constructor(head: TreeHead, hashes: ProvedTiles, http: LogHttp) {
    this.#head = head;
    this.#hashes = hashes;
    this.#http = http;
  }

  async extends(older: TreeHead, signal: AbortSignal): Promise<boolean> {
    return older.size <= this.#head.size && sameHash(await this.#hashes.rootAt(older.size, signal), older.root);
  }

  async readEntries(from: number, signal: AbortSignal): Promise<readonly LogEntry[]> {
    const index = Math.floor(from / tileWidth);
    const width = widthIn(this.#head.size, 0, index);
    const [leaves, bytes] = await Promise.all([
      this.#hashes.read(0, index, signal),
      fetchTile(this.#http, { level: "data", index, width }, maxDataTileBytes, signal),
    ]);
    const entries = parseDataTile(bytes, index * tileWidth, width);
    if (!entries)
      throw new AppError("upstream-unavailable", `The entries from ${index * tileWidth} on are cut or garbled.`);
    const wrong = entries.find(({ leafHash }, at) => !sameHash(leafHash, leaves[at]));
    if (wrong) throw new AppError("evidence-rejected", `Entry ${wrong.index} is not the one that the log's tree has.`);
    return entries.slice(from - index * tileWidth);
  }
}

/** A partial tile may go as soon as the whole one is there, which begins with it. */
async function fetchTile(
  http: LogHttp,
  tile: Parameters<typeof tilePath>[0],
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes =
    (await http.get(tilePath(tile), maxBytes, signal)) ??
    (tile.width < tileWidth ? await http.get(tilePath({ ...tile, width: tileWidth }), maxBytes, signal) : undefined);
  if (bytes) return bytes;
  throw new AppError("upstream-unavailable", `The log has no ${tilePath(tile)}, which belongs to its tree.`);
}
