/**
 * A log with the API of RFC 6962 §4, which older logs have. Everything is proved by one kind of proof, that of an entry:
 * it tells the tree before that entry too (audit-path.ts).
 */
import { z } from "zod";
import { AppError } from "../../../../shared/errors.ts";
import { appendLeaf, provePrefix } from "./audit-path.ts";
import type { CertificateLog, LogEntry, LogTree, TreeHead } from "./certificate-log.ts";
import type { LogHttp } from "./log-http.ts";
import { isSignedHead, type LogKey } from "./log-key.ts";
import { hashBytes, hashLeaf, rootOf, sameHash } from "./merkle.ts";
import { EntryReader, leafHeader, readTimestampedEntry, type HashedEntry } from "./timestamped-entry.ts";
import { maxTreeSize } from "./tiles.ts";

/** Logs give fewer if they like. */
const entriesPerRequest = 256;
const maxEntriesBytes = 32 * 1024 * 1024;
const maxProofBytes = 32 * 1024 * 1024; // it has the entry and its chain with it
const maxHeadBytes = 16 * 1024;

const base64 = z.base64().transform((text) => Buffer.from(text, "base64"));
const hash = base64.refine(({ length }) => length === hashBytes);
const headSchema = z.object({
  tree_size: z.int().nonnegative().max(maxTreeSize),
  timestamp: z.int().nonnegative(),
  sha256_root_hash: hash,
  tree_head_signature: base64,
});
const entriesSchema = z.object({ entries: z.array(z.object({ leaf_input: base64 })).min(1) });
const proofSchema = z.object({ leaf_input: base64, audit_path: z.array(hash).max(64) });

export interface Rfc6962LogOptions {
  readonly url: string;
  readonly key: LogKey | undefined;
  readonly http: LogHttp;
}

export function openRfc6962Log({ url, key, http }: Rfc6962LogOptions): CertificateLog {
  return {
    url,
    signed: key !== undefined,
    async fetchHead(signal) {
      const sth = await getJson(http, "ct/v1/get-sth", headSchema, maxHeadBytes, signal);
      const head = { size: sth.tree_size, root: sth.sha256_root_hash, timestamp: sth.timestamp };
      if (key && !isSignedHead(head, sth.tree_head_signature, key))
        throw new AppError("evidence-rejected", "The log's head is not signed with the log's key.");
      return head;
    },
    openTree: (head) => Promise.resolve(new Rfc6962Tree(head, http)),
  };
}

class Rfc6962Tree implements LogTree {
  readonly #head: TreeHead;
  readonly #http: LogHttp;
  /** The proved tree over what was read so far. */
  #read: { readonly count: number; readonly perfect: readonly Uint8Array[] } | undefined;

  constructor(head: TreeHead, http: LogHttp) {
    this.#head = head;
    this.#http = http;
  }

  async extends(older: TreeHead, signal: AbortSignal): Promise<boolean> {
    return sameHash(older.root, await this.#rootAt(older.size, signal));
  }

  async readEntries(from: number, signal: AbortSignal): Promise<readonly LogEntry[]> {
    let perfect = this.#read?.count === from ? this.#read.perfect : await this.#perfectAt(from, signal);
    const entries = await this.#fetchEntries(from, signal);
    for (const { index, leafHash } of entries) perfect = appendLeaf(perfect, index, leafHash);
    const count = from + entries.length;
    if (!sameHash(rootOf(perfect), await this.#rootAt(count, signal)))
      throw new AppError("evidence-rejected", `Entries ${from} to ${count - 1} are not those that the log's tree has.`);
    this.#read = { count, perfect };
    return entries;
  }

  async #fetchEntries(from: number, signal: AbortSignal): Promise<readonly HashedEntry[]> {
    const last = Math.min(from + entriesPerRequest, this.#head.size) - 1;
    const path = `ct/v1/get-entries?start=${from}&end=${last}`;
    const { entries } = await getJson(this.#http, path, entriesSchema, maxEntriesBytes, signal);
    return entries.slice(0, last - from + 1).map(({ leaf_input: leaf }, at) => readLeaf(leaf, from + at));
  }

  async #rootAt(size: number, signal: AbortSignal): Promise<Uint8Array> {
    return size === this.#head.size ? this.#head.root : rootOf(await this.#perfectAt(size, signal));
  }

  /** Of a size at which there is an entry after it. */
  async #perfectAt(size: number, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    if (size === 0) return [];
    const path = `ct/v1/get-entry-and-proof?leaf_index=${size}&tree_size=${this.#head.size}`;
    const proof = await getJson(this.#http, path, proofSchema, maxProofBytes, signal);
    const leafHash = hashLeaf(proof.leaf_input);
    const perfect = provePrefix({ index: size, leafHash, path: proof.audit_path }, this.#head);
    if (perfect) return perfect;
    throw new AppError("evidence-rejected", `The log cannot prove that entry ${size} stands in its tree.`);
  }
}

function readLeaf(leaf: Buffer, index: number): HashedEntry {
  const reader = new EntryReader(leaf.subarray(leafHeader.length));
  const entry = leaf.subarray(0, leafHeader.length).equals(leafHeader) && readTimestampedEntry(reader, index);
  if (entry && reader.at === leaf.length - leafHeader.length) return entry;
  throw new AppError("upstream-unavailable", `Entry ${index} of the log is garbled.`);
}

async function getJson<T>(
  http: LogHttp,
  path: string,
  schema: z.ZodType<T>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<T> {
  const bytes = await http.get(path, maxBytes, signal);
  if (!bytes) throw new AppError("upstream-unavailable", `The log has no ${path}: it has not the API of RFC 6962.`);
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw new AppError("upstream-unavailable", `The log's answer to ${path} is not what RFC 6962 says.`, {
      cause: error,
    });
  }
}
