/**
 * A stand-in for a certificate-transparency log: the files of a static log (c2sp.org/static-ct-api) and the API of RFC 6962
 * over HTTP on loopback, signed with a key of its own. It grows by `add`, can rewrite its history, and fails as told (`faults`). A partial tile is
 * gone as soon as the whole one is there, as real logs may have it. It takes anything: it checks no chain.
 */
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Answer, Faults } from "./faults.ts";
import { startFaultyServer } from "./faulty-server.ts";
import { auditPath, leafHash, treeHash } from "./ct-tree.ts";

export interface SubmittedEntry {
  /** Of a precertificate: its TBSCertificate without the poison. Else the whole certificate. */
  readonly der: Buffer;
  /** The precertificate as it was submitted. */
  readonly precertificate?: Buffer;
  readonly issuerKeyHash?: Buffer;
}

export interface CtLog extends AsyncDisposable {
  /** The monitoring prefix, without the slash. */
  readonly url: string;
  /** Base64. */
  readonly key: string;
  readonly faults: Faults;
  readonly size: number;
  /** Takes entries and signs a head over all. The index of the first. */
  add(...entries: readonly SubmittedEntry[]): number;
  /** Forgets what came after the first `size` entries: what is added then makes another history. */
  rewind(size: number): void;
  /** Head and tiles stay as they are now, whatever is added. */
  freeze(): void;
  /** What signs heads from now on; a stranger's key when none is given. */
  signWith(key?: KeyObject): void;
  /** Milliseconds that are added to the time of every head. */
  skewMs: number;
  gzip: boolean;
  /** How many get-entries gives at most. */
  entriesPerAnswer: number;
  /** Whether entries name their own index, as static logs' do. */
  leafIndex: boolean;
}

const width = 256;
const origin = "stand-in.example/2026";

export async function startCtLog(): Promise<CtLog> {
  const server = await startFaultyServer({
    handle: ({ path, target }) => respond(path.slice(1), new URL(target, "http://log").searchParams),
  });
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = pair.publicKey.export({ type: "spki", format: "der" });
  const entries: EncodedEntry[] = [];
  let signer = pair.privateKey;
  let frozen: { size: number; checkpoint: string } | undefined;

  const checkpoint = (): string => {
    const root = treeHash(entries.map(({ hash }) => hash));
    const text = `${origin}\n${entries.length}\n${root.toString("base64")}\n`;
    return `${text}\n\u2014 ${origin} ${noteSignature(entries.length, root).toString("base64")}\n`;
  };
  const noteSignature = (size: number, root: Buffer): Buffer => {
    const timestamp = Date.now() + log.skewMs;
    const logId = createHash("sha256").update(spki).digest();
    const keyId = createHash("sha256")
      .update(Buffer.concat([Buffer.from(`${origin}\n`), Buffer.from([5]), logId]))
      .digest()
      .subarray(0, 4);
    return Buffer.concat([keyId, uint(timestamp, 8), headSignature(timestamp, size, root)]);
  };
  /** RFC 6962 §3.5, as DigitallySigned. */
  const headSignature = (timestamp: number, size: number, root: Buffer): Buffer => {
    const head = Buffer.concat([Buffer.from([0, 1]), uint(timestamp, 8), uint(size, 8), root]);
    const signature = sign("sha256", head, signer);
    return Buffer.concat([Buffer.from([4, 3]), uint(signature.length, 2), signature]);
  };

  /** RFC 6962 §4.3, §4.6, §4.8. */
  const api: Record<string, (query: (name: string) => number) => unknown> = {
    "get-sth": () => {
      const timestamp = Date.now() + log.skewMs;
      const root = treeHash(entries.map(({ hash }) => hash));
      return {
        tree_size: entries.length,
        timestamp,
        sha256_root_hash: root.toString("base64"),
        tree_head_signature: headSignature(timestamp, entries.length, root).toString("base64"),
      };
    },
    "get-entries": (query) => ({
      entries: entries
        .slice(query("start"), Math.min(query("end") + 1, query("start") + log.entriesPerAnswer))
        .map(({ leaf }) => ({ leaf_input: leaf.toString("base64"), extra_data: "" })),
    }),
    "get-entry-and-proof": (query) => ({
      leaf_input: entries[query("leaf_index")]!.leaf.toString("base64"),
      extra_data: "",
      audit_path: auditPath(
        query("leaf_index"),
        entries.slice(0, query("tree_size")).map(({ hash }) => hash),
      ).map((hash) => hash.toString("base64")),
    }),
  };

  const respond = (path: string, query: URLSearchParams): Answer => {
    const call = api[path.replace(/^ct\/v1\//, "")];
    if (call && path.startsWith("ct/v1/")) return json(call((name) => Number(query.get(name))));
    if (path === "checkpoint") return text(frozen?.checkpoint ?? checkpoint());
    const tile = parseTilePath(path);
    return (tile && readTile(tile)) ?? missing;
  };
  const readTile = ({ level, index, partial }: TilePath): Answer | undefined => {
    const size = frozen?.size ?? entries.length;
    const span = level === "data" ? 1 : width ** level;
    const there = Math.min(width, Math.floor(size / span) - index * width);
    if (there < (partial ?? width) || (partial !== undefined && there === width)) return undefined;
    const parts = Array.from({ length: partial ?? width }, (_, at) => {
      const from = (index * width + at) * span;
      return level === "data"
        ? entries[from]!.tile
        : treeHash(entries.slice(from, from + span).map(({ hash }) => hash));
    });
    return binary(Buffer.concat(parts), log.gzip && level === "data");
  };

  const log: CtLog = {
    url: `http://127.0.0.1:${server.port}`,
    key: spki.toString("base64"),
    faults: server.faults,
    get size() {
      return entries.length;
    },
    add(...submitted) {
      const first = entries.length;
      for (const entry of submitted) entries.push(encodeEntry(entry, entries.length, log.leafIndex));
      return first;
    },
    rewind(size) {
      entries.length = size;
    },
    freeze() {
      frozen = { size: entries.length, checkpoint: checkpoint() };
    },
    signWith(key) {
      signer = key ?? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    },
    skewMs: 0,
    gzip: true,
    entriesPerAnswer: 1_000,
    leafIndex: true,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return log;
}

function encodeEntry(
  { der, precertificate, issuerKeyHash }: SubmittedEntry,
  index: number,
  leafIndex: boolean,
): EncodedEntry {
  const extension = Buffer.concat([Buffer.from([0]), vector(uint(index, 5), 2)]);
  const timestamped = Buffer.concat([
    uint(Date.now(), 8),
    uint(precertificate ? 1 : 0, 2),
    precertificate ? (issuerKeyHash ?? Buffer.alloc(32)) : Buffer.alloc(0),
    vector(der, 3),
    vector(leafIndex ? extension : Buffer.alloc(0), 2),
  ]);
  const chain = vector(Buffer.alloc(32, 7), 2);
  const tile = [timestamped, ...(precertificate ? [vector(precertificate, 3)] : []), chain];
  const leaf = Buffer.concat([Buffer.from([0, 0]), timestamped]);
  return { tile: Buffer.concat(tile), leaf, hash: leafHash(leaf) };
}

interface EncodedEntry {
  readonly tile: Buffer;
  /** MerkleTreeLeaf. */
  readonly leaf: Buffer;
  readonly hash: Buffer;
}

interface TilePath {
  readonly level: number | "data";
  readonly index: number;
  readonly partial: number | undefined;
}

function parseTilePath(path: string): TilePath | undefined {
  const [, level, groups, partial] = /^tile\/([0-5]|data)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? [];
  if (level === undefined || groups === undefined) return undefined;
  return {
    level: level === "data" ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, "")),
    partial: partial === undefined ? undefined : Number(partial),
  };
}

function uint(value: number, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex");
}

function vector(content: Buffer, lengthBytes: number): Buffer {
  return Buffer.concat([uint(content.length, lengthBytes), content]);
}

const missing: Answer = { status: 404, headers: { "content-type": "text/plain" }, body: "not found\n" };
const text = (body: string): Answer => ({
  status: 200,
  headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  body,
});
const json = (value: unknown): Answer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});
const binary = (body: Buffer, gzip: boolean): Answer => ({
  status: 200,
  headers: { "content-type": "application/octet-stream", ...(gzip && { "content-encoding": "gzip" }) },
  body: gzip ? gzipSync(body) : body,
});
