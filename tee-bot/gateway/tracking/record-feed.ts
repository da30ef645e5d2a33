import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { RequestRecord } from "./track.ts";

/** `missed`: how many there were besides since the last time, too many to be told. */
export type RecordListener = (records: readonly RequestRecord[], missed: number) => void;

const everyMs = 100;
const maxRecords = 200;
const maxListeners = 64;

/**
 * Tells listeners of calls that have ended, some milliseconds' worth together, so that a call does not wait for them. A
 * listener that fails is told no more.
 */
export class RecordFeed {
  readonly #log: Log;
  readonly #listeners = new Set<RecordListener>();
  #records: RequestRecord[] = [];
  #missed = 0;
  #telling = false;

  constructor({ log }: { log: Log }) {
    this.#log = log;
  }

  /** Answers what ends it. Throws when there are too many. */
  listen(listener: RecordListener): () => void {
    if (this.#listeners.size >= maxListeners) throw new RangeError(`At most ${maxListeners} can listen.`);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  add(record: RequestRecord): void {
    if (this.#listeners.size === 0) return;
    if (!this.#telling) {
      this.#telling = true;
      setTimeout(() => this.#tell(), everyMs).unref();
    }
    if (this.#records.length < maxRecords) this.#records.push(record);
    else this.#missed++;
  }

  #tell(): void {
    const records = this.#records;
    const missed = this.#missed;
    this.#telling = false;
    this.#records = [];
    this.#missed = 0;
    for (const listener of this.#listeners) {
      try {
        listener(records, missed);
      } catch (error) {
        this.#listeners.delete(listener);
        this.#log.error("record-feed.failed", { error: errorText(error) });
      }
    }
  }
}
