/** The rules of a zone: what has to change for it to be as it is wanted, and what of it is ours to change. */
import type { NewRecord, StoredRecord } from "./provider.ts";
import { normaliseCaa } from "../../shared/dns/caa.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";

/** A record that a node should have. */
export interface WantedRecord extends DnsRecord {
  readonly node: string;
}

/** One step that cannot be divided: a record goes, comes, or is replaced. */
export interface Change {
  readonly name: string;
  /** A provider's id. */
  readonly remove?: string;
  readonly add?: NewRecord;
}

/** The comment by which records are known as ours begins with this; `installation` tells us from other edges. */
export function markOf(installation: string): string {
  return `postern ${installation}`;
}

export function isOurs({ comment }: Pick<StoredRecord, "comment">, mark: string): boolean {
  return comment === mark || comment.startsWith(`${mark} `);
}

/** For one name. Records of others are left alone; one that is just as wanted will do. */
export function decideChanges(
  name: string,
  { wanted, actual, mark }: { wanted: readonly WantedRecord[]; actual: readonly StoredRecord[]; mark: string },
): Change[] {
  const ours = actual.filter((record) => isOurs(record, mark));
  const foreign = new Set(actual.filter((record) => !isOurs(record, mark)).map(keyOf));
  const missing = new Map(
    wanted.filter((record) => !foreign.has(keyOf(record))).map((record) => [keyOf(record), record]),
  );
  const removals: StoredRecord[] = [];
  for (const record of ours)
    if (missing.get(keyOf(record))?.ttl === record.ttl) missing.delete(keyOf(record));
    else removals.push(record);

  const additions = [...missing.values()].map(({ type, content, ttl, node }): NewRecord => {
    return { name, type, content, ttl, comment: `${mark} node ${node.slice(0, nodeDigits)}` };
  });
  return pair(name, removals, additions);
}

const nodeDigits = 16;

/** Joins a record that goes with the one that takes its place, so that neither happens without the other. */
function pair(name: string, removals: StoredRecord[], additions: NewRecord[]): Change[] {
  const changes: Change[] = [];
  let left = additions;
  for (const alike of [keyOf, (record: DnsRecord) => record.type])
    left = left.filter((add) => {
      const at = removals.findIndex((removal) => alike(removal) === alike(add));
      const [removal] = at < 0 ? [] : removals.splice(at, 1);
      if (removal) changes.push({ name, remove: removal.id, add });
      return !removal;
    });
  return [...changes, ...removals.map(({ id }) => ({ name, remove: id })), ...left.map((add) => ({ name, add }))];
}

/** As many names as one batch holds, all changes of a name together; a name with too many for a batch is cut. */
export function takeBatch(changes: readonly (readonly Change[])[], maxBatch: number): Change[] {
  const batch: Change[] = [];
  let size = 0;
  for (const ofName of changes) {
    const more = ofName.reduce((sum, change) => sum + sizeOf(change), 0);
    if (size > 0 && size + more > maxBatch) break;
    for (const change of ofName) {
      if (size + sizeOf(change) > maxBatch) return batch;
      batch.push(change);
      size += sizeOf(change);
    }
  }
  return batch;
}

const sizeOf = ({ remove, add }: Change): number => (remove === undefined ? 0 : 1) + (add ? 1 : 0);

/** Halves of a batch, between names where there are several. Undefined when it is one change. */
export function splitChanges(changes: readonly Change[]): [Change[], Change[]] | undefined {
  if (changes.length < 2) return undefined;
  const middle = changes.length / 2;
  const borders = changes.flatMap(({ name }, at) => (at > 0 && name !== changes[at - 1]?.name ? [at] : []));
  const nearest = borders.toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
  const at = nearest ?? Math.floor(middle);
  return [changes.slice(0, at), changes.slice(at)];
}

/** A record with the time it was made by us. */
export interface MadeRecord extends StoredRecord {
  /** 0 when it was not. */
  readonly madeAt: number;
}

/** How long a provider may not show yet what it was told. */
export const readLagMs = 60_000;

/**
 * What is believed to stand at a name after it was looked at. A record made a moment ago that is not shown is there all
 * the same, and one that was removed a moment ago is not.
 */
export function decideActual(
  found: readonly StoredRecord[],
  { known, removed, now }: { known: readonly MadeRecord[]; removed: ReadonlySet<string>; now: number },
): StoredRecord[] {
  const shown = found.filter(({ id }) => !removed.has(id));
  const ids = new Set(shown.map(({ id }) => id));
  return [...shown, ...known.filter(({ id, madeAt }) => !ids.has(id) && madeAt > now - readLagMs)];
}

/** Contents as providers show them, so that the same record is the same text. */
export function normaliseContent({ type, content }: Pick<DnsRecord, "type" | "content">): string {
  if (type === "CAA") return normaliseCaa(content);
  if (type !== "AAAA") return content;
  const url = URL.parse(`http://[${content}]/`); // RFC 5952, as the URL standard writes addresses
  return url ? url.hostname.slice(1, -1) : content;
}

export function keyOf({ type, content }: Pick<DnsRecord, "type" | "content">): string {
  return `${type} ${content}`;
}
