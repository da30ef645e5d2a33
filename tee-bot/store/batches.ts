import type { DatabaseSync } from "node:sqlite";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeTogether } from "./open-store.ts";

/** Something that has small things to write, now and then. */
export interface BatchWriter {
  /** Writes some of what there is, a turn of a millisecond at most; whether more is left. */
  write(): boolean;
  /** What the last {@link write} wrote is in the file now. */
  written(): void;
}

export interface BatchesOptions {
  store: DatabaseSync;
  log: Log;
  /** How late something is written. */
  everyMs?: number;
}

const usualEveryMs = 500;
/** A disk that is full stays so: it is told once in so long. */
const quietMs = 60_000;

/**
 * Writes what many calls leave behind together, one transaction a turn, so that a call costs no disk. A turn that fails is
 * tried again later; how much waits for it is limited by the writers.
 */
export class Batches implements Disposable {
  readonly #store: DatabaseSync;
  readonly #log: Log;
  readonly #everyMs: number;
  readonly #writers: BatchWriter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #next: NodeJS.Immediate | undefined;
  #toldAt = -Infinity;
  #isFailing = false;
  #ended = false;

  constructor({ store, log, everyMs = usualEveryMs }: BatchesOptions) {
    this.#store = store;
    this.#log = log;
    this.#everyMs = everyMs;
  }

  add(writer: BatchWriter): void {
    this.#writers.push(writer);
  }

  /** Something is to be written; it will be within `everyMs`. */
  touch(): void {
    if (!this.#ended) this.#timer ??= setTimeout(() => this.#turn(), this.#everyMs).unref();
  }

  /** A turn's worth waits: it is written as soon as the calls at hand are served, unless the disk fails. */
  hurry(): void {
    if (this.#ended || this.#isFailing) return;
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#writeOnce();
    });
  }

  /** Writes everything now. Whether it worked. */
  flush(): boolean {
    for (;;) {
      const left = this.#writeOnce();
      if (left !== true) return left === false;
    }
  }

  /** Writes what is left; what comes later is lost. */
  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#next);
    this.flush();
  }

  /** Long batches are written in turns, so that calls go on between them. */
  #turn(): void {
    this.#next = undefined;
    const left = this.#writeOnce();
    if (left === true) this.#next = setImmediate(() => this.#turn());
    else {
      this.#timer = undefined;
      if (left === undefined) this.touch();
    }
  }

  /** Whether more is left; undefined: it failed. */
  #writeOnce(): boolean | undefined {
    let left = false;
    try {
      writeTogether(this.#store, () => {
        for (const writer of this.#writers) left = writer.write() || left;
      });
    } catch (error) {
      this.#isFailing = true;
      this.#tell(error);
      return undefined;
    }
    this.#isFailing = false;
    for (const writer of this.#writers) writer.written();
    return left;
  }

  #tell(error: unknown): void {
    const now = performance.now();
    if (now - this.#toldAt < quietMs) return;
    this.#toldAt = now;
    this.#log.error("store.failed", { error: errorText(error) });
  }
}
