import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { Batches, type BatchWriter } from "../../store/batches.ts";
import { openStore } from "../../store/open-store.ts";
import type { CitedSession, DraftedReceipt } from "./receipt-draft.ts";
import type { ReceiptDocument } from "./receipt.ts";

export interface KeptReceipt {
  readonly document: ReceiptDocument;
  /** Id of the API key that made the call; undefined: none was asked for. */
  readonly key: string | undefined;
}

/** Of about 1 kB each. */
const maxReceipts = 100_000;
const maxAgeMs = 7 * 86_400_000;
/** Of up to 0.3 MB each, most of it evidence. A receipt goes with the session that it cites. */
const maxSessions = 256;
const rowsPerTurn = 100;
const prunedPerTurn = 200;
/** Receipts that wait for the disk; beyond, the oldest are lost, and that is told. */
const maxPending = 5_000;

const steps = [
  `CREATE TABLE receipts (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     at INTEGER NOT NULL,
     chat_id TEXT,
     key TEXT,
     session TEXT,
     document TEXT NOT NULL
   ) STRICT;
   CREATE INDEX receipts_by_chat ON receipts (chat_id);
   CREATE INDEX receipts_by_session ON receipts (session);
   CREATE TABLE sessions (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL) STRICT`,
];

interface Pending extends KeptReceipt {
  readonly at: number;
  readonly session: CitedSession | undefined;
}

export interface ReceiptBookOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The newest receipts on disk, and every session that one of them cites. Hashes and names only. */
export class ReceiptBook implements BatchWriter, Disposable {
  readonly #store: DatabaseSync;
  readonly #batches: Batches;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #insert: StatementSync;
  readonly #insertSession: StatementSync;
  readonly #byName: StatementSync;
  readonly #session: StatementSync;
  readonly #prune: readonly { readonly statement: StatementSync; readonly limit: () => number }[];
  #pending: Pending[] = [];
  #writing = 0;

  /** Throws {@link AppError} when the file cannot be opened. */
  constructor({ path, clock, log }: ReceiptBookOptions) {
    const store = openStore({ path, steps, log });
    this.#store = store;
    this.#batches = new Batches({ store, log });
    this.#clock = clock;
    this.#log = log;
    this.#insert = store.prepare(
      "INSERT OR IGNORE INTO receipts (id, at, chat_id, key, session, document) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#insertSession = store.prepare("INSERT OR IGNORE INTO sessions (id, document) VALUES (?, ?)");
    this.#byName = store.prepare(
      "SELECT key, document FROM receipts WHERE id = ?1 OR chat_id = ?1 ORDER BY seq DESC LIMIT 8",
    );
    this.#session = store.prepare("SELECT document FROM sessions WHERE id = ?");
    const oldest = `SELECT seq FROM receipts ORDER BY seq LIMIT ${prunedPerTurn}`;
    const sessionsBeyond = "SELECT id FROM sessions WHERE seq <= (SELECT max(seq) FROM sessions) - ?";
    this.#prune = [
      {
        statement: store.prepare(`DELETE FROM receipts WHERE seq IN (${oldest}) AND at < ?`),
        limit: () => clock.now() - maxAgeMs,
      },
      {
        statement: store.prepare(
          `DELETE FROM receipts WHERE seq IN (${oldest}) AND seq <= (SELECT max(seq) FROM receipts) - ?`,
        ),
        limit: () => maxReceipts,
      },
      {
        statement: store.prepare(`DELETE FROM receipts WHERE session IN (${sessionsBeyond})`),
        limit: () => maxSessions,
      },
      { statement: store.prepare(`DELETE FROM sessions WHERE id IN (${sessionsBeyond})`), limit: () => maxSessions },
    ];
    this.#batches.add(this);
    this.#batches.touch();
  }

  add({ document, session }: DraftedReceipt, key: string | undefined): void {
    this.#pending.push({ document, session, key, at: this.#clock.now() });
    if (this.#pending.length > maxPending) {
      const lost = this.#pending.splice(0, maxPending / 2).length;
      this.#writing = 0;
      this.#log.warn("receipts.fell-behind", { lost });
    }
    this.#batches.touch();
    if (this.#pending.length >= rowsPerTurn) this.#batches.hurry();
  }

  /** By its own id, or that of its answer; such an id is the provider's choice, so there may be several: the newest first. */
  find(name: string): KeptReceipt[] {
    this.#batches.flush();
    const rows = this.#byName.all(name);
    if (rows.length === 0)
      // while the disk fails
      return this.#pending
        .filter(({ document }) => document.receipt_id === name || document.chat_id === name)
        .toReversed();
    return rows.map(({ key, document }) => ({
      key: key === null ? undefined : String(key),
      document: JSON.parse(String(document)) as ReceiptDocument,
    }));
  }

  /** The text of a session that a receipt here cites. */
  session(id: string): string | undefined {
    this.#batches.flush();
    const text = this.#session.get(id)?.["document"];
    return text === undefined ? undefined : String(text);
  }

  write(): boolean {
    const rows = this.#pending.slice(0, rowsPerTurn);
    for (const { document, session, key, at } of rows) {
      if (session) this.#insertSession.run(session.id, JSON.stringify(session.document));
      const { receipt_id: id, chat_id: chat } = document;
      this.#insert.run(id, at, chat, key ?? null, session?.id ?? null, JSON.stringify(document));
    }
    this.#writing = rows.length;
    const pruned = this.#prune.map(({ statement, limit }) => Number(statement.run(limit()).changes));
    return this.#pending.length > rows.length || pruned.some((count) => count === prunedPerTurn);
  }

  written(): void {
    this.#pending.splice(0, this.#writing);
    this.#writing = 0;
  }

  [Symbol.dispose](): void {
    this.#batches[Symbol.dispose]();
    this.#store.close();
  }
}
