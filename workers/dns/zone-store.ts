/** The tables of a zone: the records that nodes want, and those that are known to stand there. */
import { keyOf, markOf, normaliseContent, type MadeRecord, type WantedRecord } from "./zone.ts";
import type { StoredRecord } from "./provider.ts";
import type { DnsPublication } from "./publication.ts";
import type { ChallengeRecord } from "../../shared/acme/ports.ts";
import { challengeName, type DnsRecord } from "../../shared/dns/record.ts";

export const zoneTables = `
  CREATE TABLE installation (id TEXT NOT NULL);
  INSERT INTO installation VALUES (lower(hex(randomblob(4))));
  CREATE TABLE publishers (node TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE wanted (
    name TEXT, type TEXT, content TEXT, ttl INTEGER NOT NULL, node TEXT, acme_order TEXT, expires_at INTEGER,
    PRIMARY KEY (node, acme_order, name, type, content)
  ) WITHOUT ROWID;
  CREATE INDEX wanted_by_name ON wanted (name);
  CREATE TABLE actual (
    serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, type TEXT NOT NULL, content TEXT NOT NULL,
    ttl INTEGER NOT NULL, comment TEXT NOT NULL, made_at INTEGER NOT NULL
  );
  CREATE INDEX actual_by_name ON actual (name);`;

/** Records of one node at the most; more is a mistake. */
export const maxRecordsPerNode = 500;
/** How long a challenge is kept whose order was forgotten. */
export const challengeLifeMs = 24 * 60 * 60_000;
const challengeTtlSeconds = 60; // the least that Cloudflare takes

export interface KnownRecord extends MadeRecord {
  readonly serial: number;
}

type ActualRow = Omit<KnownRecord, "madeAt"> & { made_at: number };
type WantedRow = { name: string; type: DnsRecord["type"]; content: string; ttl: number; node: string };

/** Methods that change what is wanted return the names at which something is to be done. */
export class ZoneStore {
  readonly #sql: DurableObjectStorage["sql"];
  readonly mark: string;

  /** The tables have to be there. */
  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
    this.mark = markOf(sql.exec<{ id: string }>("SELECT id FROM installation").one().id);
  }

  /** Nothing when a newer one was here before, or nothing has changed. */
  publish({ node, revision, records }: DnsPublication): string[] {
    const held = this.#sql
      .exec<{ revision: number }>("SELECT revision FROM publishers WHERE node = ?", node)
      .toArray()[0];
    if (held && held.revision >= revision) return [];
    this.#sql.exec("INSERT OR REPLACE INTO publishers VALUES (?, ?)", node, revision);
    return this.#want(node, "", records.slice(0, maxRecordsPerNode), null);
  }

  present(node: string, order: string, records: readonly ChallengeRecord[], now: number): string[] {
    const wanted = records.map(({ hostname, value }) => ({
      name: challengeName(hostname),
      type: "TXT" as const,
      content: value,
      ttl: challengeTtlSeconds,
    }));
    return this.#want(node, order, wanted.slice(0, maxRecordsPerNode), now + challengeLifeMs);
  }

  withdraw(node: string, order: string): string[] {
    return this.#want(node, order, [], null);
  }

  /** Forgets challenges that nobody has withdrawn. */
  sweep(now: number): string[] {
    const gone = this.#sql.exec<{ name: string }>("DELETE FROM wanted WHERE expires_at <= ? RETURNING name", now);
    return [...new Set(gone.toArray().map(({ name }) => name))];
  }

  nextExpiry(): number | undefined {
    return this.#sql.exec<{ at: number | null }>("SELECT min(expires_at) at FROM wanted").one().at ?? undefined;
  }

  /** What should stand at a name; a record that several nodes want is one. */
  wantedAt(name: string): WantedRecord[] {
    return this.#sql
      .exec<WantedRow>(
        "SELECT name, type, content, min(ttl) ttl, min(node) node FROM wanted WHERE name = ? GROUP BY type, content",
        name,
      )
      .toArray();
  }

  /** What a node has published, challenges apart. */
  wantedBy(node: string): WantedRecord[] {
    return this.#sql
      .exec<WantedRow>("SELECT name, type, content, ttl, node FROM wanted WHERE node = ? AND acme_order = ''", node)
      .toArray();
  }

  actualAt(name: string): KnownRecord[] {
    return this.#sql.exec<ActualRow>("SELECT * FROM actual WHERE name = ?", name).toArray().map(knownOf);
  }

  byId(id: string): KnownRecord | undefined {
    return this.#sql.exec<ActualRow>("SELECT * FROM actual WHERE id = ?", id).toArray().map(knownOf)[0];
  }

  /** Every known record, read one by one. */
  *actual(): Generator<KnownRecord> {
    for (const row of this.#sql.exec<ActualRow>("SELECT * FROM actual")) yield knownOf(row);
  }

  countActual(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) count FROM actual").one().count;
  }

  hasAll(records: readonly Pick<DnsRecord, "name" | "type" | "content">[]): boolean {
    return records.every((record) => this.actualAt(record.name).some((found) => keyOf(found) === keyOf(record)));
  }

  /** Its serial. */
  putActual({ id, name, type, content, ttl, comment }: StoredRecord, madeAt: number): number {
    return this.#sql
      .exec<{ serial: number }>(
        `INSERT INTO actual (id, name, type, content, ttl, comment, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, type = excluded.type, content = excluded.content,
           ttl = excluded.ttl, comment = excluded.comment RETURNING serial`,
        id,
        name,
        type,
        content,
        ttl,
        comment,
        madeAt,
      )
      .one().serial;
  }

  /** Whoever looks for it and does not see it may take it for gone, however new it is. */
  doubtActual(id: string): void {
    this.#sql.exec("UPDATE actual SET made_at = 0 WHERE id = ?", id);
  }

  dropActual(id: string): void {
    this.#sql.exec("DELETE FROM actual WHERE id = ?", id);
  }

  #want(node: string, order: string, records: readonly DnsRecord[], expiresAt: number | null): string[] {
    const lines = (record: DnsRecord): string => `${record.name} ${keyOf(record)} ${record.ttl}`;
    const now = new Map(
      records.map((record) => ({ ...record, content: normaliseContent(record) })).map((one) => [lines(one), one]),
    );
    const before = new Map(
      this.#sql
        .exec<WantedRow>("SELECT * FROM wanted WHERE node = ? AND acme_order = ?", node, order)
        .toArray()
        .map((row) => [lines(row), row]),
    );
    const gone = [...before].filter(([line]) => !now.has(line)).map(([, record]) => record);
    const come = [...now].filter(([line]) => !before.has(line)).map(([, record]) => record);
    for (const { name, type, content } of gone)
      this.#sql.exec(
        "DELETE FROM wanted WHERE node = ? AND acme_order = ? AND name = ? AND type = ? AND content = ?",
        node,
        order,
        name,
        type,
        content,
      );
    for (const { name, type, content, ttl } of come)
      this.#sql.exec(
        "INSERT OR REPLACE INTO wanted VALUES (?, ?, ?, ?, ?, ?, ?)",
        name,
        type,
        content,
        ttl,
        node,
        order,
        expiresAt,
      );
    return [...new Set([...gone, ...come].map(({ name }) => name))];
  }
}

const knownOf = ({ made_at, ...record }: ActualRow): KnownRecord => ({ ...record, madeAt: made_at });
