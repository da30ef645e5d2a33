/** A zone that nobody serves: its records are kept in the object's own table, for development and tests. */
import { ProviderError, type DnsProvider, type NewRecord, type StoredRecord } from "./provider.ts";
import { keyOf, normaliseContent } from "./zone.ts";

export const memoryTable = `
  CREATE TABLE memory_records (
    serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, type TEXT NOT NULL, content TEXT NOT NULL,
    ttl INTEGER NOT NULL, comment TEXT NOT NULL
  );
  CREATE INDEX memory_records_by_name ON memory_records (name);`;

const pageSize = 500;
const maxBatch = 200;

type Row = { serial: number } & { -readonly [K in keyof StoredRecord]: StoredRecord[K] };

export interface MemoryParts {
  readonly sql: DurableObjectStorage["sql"];
  readonly transaction: <T>(write: () => T) => T;
}

export function createMemoryProvider({ sql, transaction }: MemoryParts): DnsProvider {
  const at = (name: string): StoredRecord[] =>
    sql.exec<Row>("SELECT * FROM memory_records WHERE name = ? ORDER BY serial", name).toArray().map(recordOf);

  const remove = (id: string): void => {
    const gone = sql.exec("DELETE FROM memory_records WHERE id = ? RETURNING id", id).toArray();
    if (gone.length === 0) throw new ProviderError("conflict", "A record to be deleted does not exist.");
  };

  const add = (record: NewRecord): StoredRecord => {
    const made = { ...record, content: normaliseContent(record), id: crypto.randomUUID().replaceAll("-", "") };
    if (at(made.name).some((other) => keyOf(other) === keyOf(made)))
      throw new ProviderError("conflict", `An identical record exists already at ${made.name}.`);
    sql.exec(
      "INSERT INTO memory_records (id, name, type, content, ttl, comment) VALUES (?, ?, ?, ?, ?, ?)",
      made.id,
      made.name,
      made.type,
      made.content,
      made.ttl,
      made.comment,
    );
    return made;
  };

  return {
    maxBatch,
    at: (name) => Promise.resolve(at(name)),
    page(cursor) {
      const rows = sql
        .exec<Row>(
          "SELECT * FROM memory_records WHERE serial > ? ORDER BY serial LIMIT ?",
          Number(cursor ?? 0),
          pageSize,
        )
        .toArray();
      const last = rows.length < pageSize ? undefined : rows.at(-1)?.serial;
      return Promise.resolve({ records: rows.map(recordOf), next: last === undefined ? undefined : String(last) });
    },
    apply: ({ deletes, posts }) =>
      new Promise((resolve) => {
        if (deletes.length + posts.length > maxBatch) throw new ProviderError("refused", "The batch is too large.");
        const made = transaction(() => {
          for (const id of deletes) remove(id);
          return posts.map((record) => add(record));
        });
        resolve(made);
      }),
  };
}

function recordOf({ id, name, type, content, ttl, comment }: Row): StoredRecord {
  return { id, name, type, content, ttl, comment };
}
