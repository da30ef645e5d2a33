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
