/**
 * The newest epoch seen of each sealed value, kept apart from the values, so that an older one that was put back is known.
 * In memory it holds for the life of the process; in a file also over a restart, unless that file is put back as well.
 */
import { DatabaseSync } from "node:sqlite";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { openStore, writeTogether } from "./open-store.ts";

interface Seen {
  readonly epoch: number;
  /** When no value of this epoch or before is good any more: it is not asked for then. */
  readonly until: number;
}

/** Some 100 bytes each. Beyond it those go whose values expire first. */
const maxEpochs = 500_000;
const pruneEvery = 1_000;
/** While the file cannot be written. */
const maxUnwritten = 10_000;

const steps = [
  `CREATE TABLE epochs (
     tag TEXT PRIMARY KEY,
     epoch INTEGER NOT NULL,
     until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX epochs_by_until ON epochs (until)`,
];

export class Epochs implements Disposable {
  readonly #store: DatabaseSync;
  readonly #log: Log;
  /** What another process, or the disk, kept from being written: with the next one. */
  readonly #unwritten = new Map<string, Seen>();
  #untilPrune = 0;

  /** Without a path it is in memory. Throws {@link AppError} when the file cannot be opened. */
  constructor({ path, log }: { path: string | undefined; log: Log }) {
    this.#log = log;
    this.#store = path === undefined ? openInMemory() : openStore({ path, steps, log });
  }

  /** 0 where none has been seen. */
  newest(tag: string): number {
    try {
      const stored = Number(this.#store.prepare("SELECT epoch FROM epochs WHERE tag = ?").get(tag)?.["epoch"] ?? 0);
      return Math.max(stored, this.#unwritten.get(tag)?.epoch ?? 0);
    } catch (error) {
      throw new AppError("overloaded", `The file of epochs cannot be read now: ${errorText(error)}.`, { cause: error });
    }
  }

  /** Never fails: what was seen is remembered, and written as soon as that works. */
  saw(tag: string, seen: Seen, now: number): void {
    if (this.#unwritten.size < maxUnwritten || this.#unwritten.has(tag)) this.#unwritten.set(tag, seen);
    try {
      writeTogether(this.#store, () => this.#write(now));
    } catch (error) {
      this.#log.warn("epoch.not-written", { waiting: this.#unwritten.size, error: errorText(error) });
      return;
    }
    this.#unwritten.clear();
  }

  [Symbol.dispose](): void {
    if (this.#store.isOpen) this.#store.close();
  }

  #write(now: number): void {
    const upsert = this.#store.prepare(
      `INSERT INTO epochs VALUES (?, ?, ?)
       ON CONFLICT (tag) DO UPDATE SET epoch = max(epoch, excluded.epoch), until = max(until, excluded.until)`,
    );
    for (const [tag, { epoch, until }] of this.#unwritten) upsert.run(tag, epoch, until);
    if (this.#untilPrune-- > 0) return;
    this.#untilPrune = pruneEvery;
    this.#store.prepare("DELETE FROM epochs WHERE until <= ?").run(now);
    this.#store
      .prepare("DELETE FROM epochs WHERE tag IN (SELECT tag FROM epochs ORDER BY until DESC LIMIT -1 OFFSET ?)")
      .run(maxEpochs);
  }
}

function openInMemory(): DatabaseSync {
  const store = new DatabaseSync(":memory:");
  for (const step of steps) store.exec(step);
  return store;
}
