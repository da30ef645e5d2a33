/** What the gateway keeps over a restart: keys, what they have used, and the log of requests. One file, one writer. */
import type { DatabaseSync } from "node:sqlite";
import type { Log } from "../../shared/log.ts";
import { openStore } from "../store/open-store.ts";

/** Throws {@link AppError} when the file cannot be opened. */
export function openGatewayStore({ path, log }: { path: string; log: Log }): DatabaseSync {
  return openStore({ path, steps, log, rescue });
}

const steps = [
  `CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER,
     revoked_at INTEGER,
     last_used_at INTEGER,
     models TEXT,
     requests_per_minute INTEGER,
     tokens_per_minute INTEGER,
     tokens_per_month INTEGER
   ) STRICT;
   CREATE TABLE usage (
     key TEXT NOT NULL,
     month TEXT NOT NULL,
     tokens INTEGER NOT NULL,
     PRIMARY KEY (key, month)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE requests (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL,
     at INTEGER NOT NULL,
     surface TEXT NOT NULL,
     endpoint TEXT NOT NULL,
     key TEXT,
     model TEXT NOT NULL,
     stream INTEGER NOT NULL,
     provider TEXT,
     upstream_model TEXT,
     status INTEGER NOT NULL,
     error TEXT,
     failed TEXT,
     queued_ms REAL NOT NULL,
     ttft_ms REAL,
     duration_ms REAL NOT NULL,
     prompt_tokens INTEGER,
     completion_tokens INTEGER,
     tokens_estimated INTEGER,
     detail TEXT NOT NULL
   ) STRICT;
   CREATE INDEX requests_by_id ON requests (id)`,
  "ALTER TABLE requests ADD COLUMN proof TEXT",
  // Many records a row, for a row costs more than what is in it; the text is that of record-text.ts.
  `CREATE TABLE request_batches (
     seq INTEGER PRIMARY KEY,
     lowest TEXT NOT NULL,
     highest TEXT NOT NULL,
     newest_at INTEGER NOT NULL,
     count INTEGER NOT NULL,
     records TEXT NOT NULL
   ) STRICT;
   CREATE INDEX request_batches_by_id ON request_batches (highest, lowest);
   CREATE TABLE request_proofs (id TEXT PRIMARY KEY, proved_at INTEGER NOT NULL, proof TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX request_proofs_by_time ON request_proofs (proved_at);
   INSERT INTO request_batches (lowest, highest, newest_at, count, records)
     SELECT id, id, at, 1, json_array(json_array(
       id, at, surface, endpoint, key, model, stream, provider, upstream_model, status, error, failed,
       queued_ms, ttft_ms, duration_ms,
       json(CASE WHEN prompt_tokens IS NOT NULL THEN json_array(prompt_tokens, completion_tokens, tokens_estimated) END),
       json(detail)
     )) FROM requests WHERE json_valid(detail) ORDER BY seq;
   INSERT INTO request_proofs SELECT id, at, proof FROM requests WHERE json_valid(proof);
   DROP TABLE requests`,
];

/** Keys cannot be made again, for their text is known to their holders only; the log of requests may go. */
function rescue(damaged: DatabaseSync, fresh: DatabaseSync): void {
  for (const table of ["keys", "usage"]) {
    for (const row of damaged.prepare(`SELECT * FROM ${table}`).all()) {
      const columns = Object.keys(row);
      const places = columns.map(() => "?").join(", ");
      fresh.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`).run(...Object.values(row));
    }
  }
}
