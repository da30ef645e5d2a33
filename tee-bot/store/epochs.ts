/**
 * The newest epoch seen of each sealed value, kept apart from the values, so that an older one that was put back is known.
 * In memory it holds for the life of the process; in a file also over a restart, unless that file is put back as well.
 */
import { DatabaseSync } from "node:sqlite";
import type { Log } from "../../shared/log.ts";
import { openStore } from "./open-store.ts";

/** Some 100 bytes each. Beyond it those go whose values expire first. */
const maxEpochs = 500_000;
const pruneEvery = 1_000;

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
  #untilPrune = 0;

  /** Without a path it is in memory. */
  constructor({ path, log }: { path: string | undefined; log: Log }) {
    this.#store = path === undefined ? openInMemory() : openStore({ path, steps, log });
  }

  /** 0 where none has been seen. */
  newest(tag: string): number {
    return Number(this.#store.prepare("SELECT epoch FROM epochs WHERE tag = ?").get(tag)?.["epoch"] ?? 0);
  }

  /** `until` is when no value of this epoch or before is good any more: it is not asked for then. */
  saw(tag: string, epoch: number, { until, now }: { until: number; now: number }): void {
    this.#store
      .prepare(
        `INSERT INTO epochs VALUES (?, ?, ?)
         ON CONFLICT (tag) DO UPDATE SET epoch = max(epoch, excluded.epoch), until = max(until, excluded.until)`,
      )
      .run(tag, epoch, until);
    if (this.#untilPrune-- > 0) return;
    this.#untilPrune = pruneEvery;
    this.#store.prepare("DELETE FROM epochs WHERE until <= ?").run(now);
    this.#store
      .prepare("DELETE FROM epochs WHERE tag IN (SELECT tag FROM epochs ORDER BY until DESC LIMIT -1 OFFSET ?)")
      .run(maxEpochs);
  }

  [Symbol.dispose](): void {
    this.#store.close();
  }
}

function openInMemory(): DatabaseSync {
  const store = new DatabaseSync(":memory:");
  for (const step of steps) store.exec(step);
  return store;
}
