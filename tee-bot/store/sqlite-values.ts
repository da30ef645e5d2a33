/** Sealed values in a SQLite file, which several processes may share. */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { isBusy, isDamage, openStore, writeDurably, writeTogether } from "./open-store.ts";
import { sealHeadBytes } from "./seal.ts";
import type { KeptValue, ValueStore } from "./value-store.ts";

/** The file tells no more exactly than this when a value may go. */
const dropGrainMs = 60 * 60 * 1000;
const sweepEveryMs = 60_000;
const tagsAtATime = 100;
/** The event loop stands still for so long; whoever wants the change may wait longer without that. */
const busyTimeoutMs = 20;

const steps = [
  `CREATE TABLE sealed (
     tag TEXT PRIMARY KEY,
     value BLOB NOT NULL,
     drop_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX sealed_by_drop_at ON sealed (drop_at)`,
];

export interface SqliteValuesOptions {
  path: string;
  /** A change is on the disk before it is answered, at the price of a wait for it. */
  isDurable: boolean;
  clock: Clock;
  log: Log;
}

/**
 * Each change is a transaction of its own, for someone waits for it. One that a loss of power took back would look like a
 * rollback, so what is to last is written durably. A file that turns out to be damaged while in use is begun anew, as at the start.
 */
export class SqliteValues implements ValueStore {
  readonly #options: SqliteValuesOptions;
  #store: DatabaseSync;
  #sweptAt = -Infinity;

  /** Throws {@link AppError} when the file cannot be opened. */
  constructor(options: SqliteValuesOptions) {
    this.#options = options;
    this.#store = openFile(options);
  }

  read(tag: string): Uint8Array | undefined {
    return this.#run(() => this.#valueOf(tag));
  }

  replace(tag: string, before: Uint8Array | undefined, after: KeptValue | undefined): boolean {
    const isReplaced = this.#run(() => {
      let isStill = false;
      const write = this.#options.isDurable ? writeDurably : writeTogether;
      try {
        write(this.#store, () => {
          isStill = isSameValue(before, this.#valueOf(tag));
          if (isStill) this.#write(tag, after);
        });
      } catch (error) {
        if (!isBusy(error)) throw error;
        return false; // another process is changing something, as likely this as anything
      }
      return isStill;
    });
    if (isReplaced && !after) this.#run(() => this.#store.exec("PRAGMA wal_checkpoint(TRUNCATE)")); // what was deleted is in the log until then
    return isReplaced;
  }

  *tags(beginning: string): Iterable<string> {
    let last = beginning;
    for (;;) {
      const rows = this.#run(() =>
        this.#store.prepare("SELECT tag FROM sealed WHERE tag > ? ORDER BY tag LIMIT ?").all(last, tagsAtATime),
      );
      for (const row of rows) {
        last = String(row["tag"]);
        if (!last.startsWith(beginning)) return;
        yield last;
      }
      if (rows.length < tagsAtATime) return;
    }
  }

  [Symbol.dispose](): void {
    if (this.#store.isOpen) this.#store.close();
  }

  #valueOf(tag: string): Uint8Array | undefined {
    return this.#store.prepare("SELECT value FROM sealed WHERE tag = ?").get(tag)?.["value"] as Uint8Array | undefined;
  }

  #write(tag: string, after: KeptValue | undefined): void {
    if (after) {
      const dropAt = Math.ceil(after.dropAt / dropGrainMs) * dropGrainMs;
      this.#store.prepare("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?)").run(tag, after.bytes, dropAt);
    } else this.#store.prepare("DELETE FROM sealed WHERE tag = ?").run(tag);
    const now = this.#options.clock.now();
    if (now - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = now;
    this.#store.prepare("DELETE FROM sealed WHERE drop_at <= ?").run(now);
  }

  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isDamage(error)) throw unavailable(this.#options.path, error);
      this.#store.close();
      this.#store = openFile(this.#options);
      try {
        return work();
      } catch (again) {
        throw unavailable(this.#options.path, again);
      }
    }
  }
}

function openFile({ path, log }: SqliteValuesOptions): DatabaseSync {
  const store = openStore({ path, steps, log, rescue });
  store.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA secure_delete = ON`); // what is deleted is overwritten, as far as the disk does so
  return store;
}

/** Values are sealed one by one, so those that can be read are as good as before. */
function rescue(damaged: DatabaseSync, fresh: DatabaseSync): void {
  const insert = fresh.prepare("INSERT OR IGNORE INTO sealed VALUES (?, ?, ?)");
  for (const { tag, value, drop_at } of damaged.prepare("SELECT tag, value, drop_at FROM sealed").iterate())
    insert.run(tag as string, value as Uint8Array, drop_at as number);
}

function isSameValue(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (!one || !other) return one === other;
  return Buffer.compare(one.subarray(0, sealHeadBytes), other.subarray(0, sealHeadBytes)) === 0;
}

function unavailable(path: string, error: unknown): AppError {
  return new AppError("overloaded", `${path} cannot be used now: ${errorText(error)}.`, { cause: error });
}
