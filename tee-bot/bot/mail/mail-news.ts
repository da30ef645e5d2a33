/**
 * Tells when there may be something to do: at once for a change of this process, within some milliseconds for one of another
 * (which touches the file), and when something that was put off is due.
 */
import { watch, type FSWatcher } from "node:fs";
import type { Clock } from "../../../shared/clock.ts";
import type { MailFile } from "./mail-file.ts";

export interface MailNewsOptions {
  file: MailFile;
  /** When the first of what is due after this time is; undefined: there is nothing. */
  nextDueAt: (after: number) => number | undefined;
  clock: Clock;
}

/** Where the system does not tell of changes of a file. */
const lookEveryMs = 1_000;

export class MailNews implements Disposable {
  readonly #options: MailNewsOptions;
  readonly #listeners: (() => void)[] = [];
  #watcher: FSWatcher | undefined;
  #looking: NodeJS.Timeout | undefined;
  #due: NodeJS.Timeout | undefined;
  #telling: NodeJS.Immediate | undefined;
  #toldAt = -Infinity;
  /** What the file is known to be like. */
  #seen = "";

  constructor(options: MailNewsOptions) {
    this.#options = options;
  }

  listen(listener: () => void): void {
    this.#listeners.push(listener);
    if (this.#looking) return;
    this.#seen = this.#look();
    this.#watch();
    this.#looking = setInterval(() => {
      this.#onChange();
      this.#awaitDue();
    }, lookEveryMs).unref();
    this.tell();
  }

  /** Many calls in one turn of the event loop are one. */
  tell(): void {
    if (this.#listeners.length === 0) return;
    this.#telling ??= setImmediate(() => {
      this.#telling = undefined;
      this.#toldAt = this.#options.clock.now();
      for (const listener of this.#listeners) listener();
      this.#awaitDue();
    });
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    clearInterval(this.#looking);
    clearTimeout(this.#due);
    clearImmediate(this.#telling);
    this.#listeners.length = 0;
  }

  /** It is another file after the store was begun anew. */
  #watch(): void {
    this.#watcher?.close();
    try {
      const watcher = watch(this.#options.file.path, { persistent: false }, () => this.#onChange());
      watcher.on("error", () => watcher.close()); // then there is the look
      this.#watcher = watcher;
    } catch {
      this.#watcher = undefined; // as well
    }
  }

  #onChange(): void {
    const now = this.#look();
    if (now === this.#seen) return; // it was this process
    const isOtherFile = now.split(" ")[0] !== this.#seen.split(" ")[0];
    this.#seen = now;
    if (isOtherFile) this.#watch();
    this.tell();
  }

  /** Differs after every change by another connection. https://www.sqlite.org/pragma.html#pragma_data_version */
  #look(): string {
    const { file } = this.#options;
    try {
      return file.run(() => {
        const version = file.statement("PRAGMA data_version").get()?.["data_version"];
        return `${file.follow()} ${String(version)}`;
      });
    } catch {
      return this.#seen; // whoever works will be told why
    }
  }

  #awaitDue(): void {
    clearTimeout(this.#due);
    try {
      const dueAt = this.#options.nextDueAt(this.#toldAt);
      const inMs = dueAt === undefined ? Infinity : dueAt - this.#options.clock.now();
      if (inMs < lookEveryMs) this.#due = setTimeout(() => this.tell(), Math.max(0, inMs)).unref();
    } catch {
      // as above; the next look comes
    }
  }
}
