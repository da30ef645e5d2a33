/**
 * What is to survive a restart: tables of values by name. With a file each change is a line at its end, written before the
 * caller goes on, so that a kill at any time loses nothing that was answered; without one all is in memory.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { writeFileAtomic } from "../../../shared/nodejs/files.ts";

export interface Table<T> {
  readonly values: ReadonlyMap<string, T>;
  put(name: string, value: T): void;
  delete(name: string): void;
}

/** So many lines that say nothing any more are borne before the file is written anew. */
const maxStaleLines = 20_000;
/** It has what people wrote. */
const fileMode = 0o600;

export class StateFile implements Disposable {
  readonly #path: string | undefined;
  readonly #tables = new Map<string, Map<string, unknown>>();
  #descriptor: number | undefined;
  #lines = 0;

  constructor(path?: string) {
    this.#path = path;
    if (path !== undefined && existsSync(path)) this.#read(readFileSync(path, "utf8"));
    this.#compact();
  }

  /** The one table of this name; what is in it is trusted to be what this program has put there. */
  table<T>(name: string): Table<T> {
    const values = this.#values(name) as Map<string, T>;
    return {
      values,
      put: (key, value) => {
        values.set(key, value);
        this.#append([name, key, value]);
      },
      delete: (key) => {
        if (values.delete(key)) this.#append([name, key]);
      },
    };
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #values(table: string): Map<string, unknown> {
    const values = this.#tables.get(table) ?? new Map<string, unknown>();
    this.#tables.set(table, values);
    return values;
  }

  /** The last line may be torn by a crash; it was not answered then. */
  #read(text: string): void {
    for (const line of text.split("\n").slice(0, -1)) {
      const [table, key, value] = JSON.parse(line) as [string, string, unknown?];
      if (value === undefined) this.#values(table).delete(key);
      else this.#values(table).set(key, value);
    }
  }

  #append(change: readonly unknown[]): void {
    if (this.#descriptor === undefined) return;
    writeSync(this.#descriptor, `${JSON.stringify(change)}\n`);
    if (++this.#lines > maxStaleLines + this.#size()) this.#compact();
  }

  #compact(): void {
    if (this.#path === undefined) return;
    this[Symbol.dispose]();
    const lines = [...this.#tables].flatMap(([table, values]) =>
      [...values].map(([key, value]) => `${JSON.stringify([table, key, value])}\n`),
    );
    writeFileAtomic(this.#path, lines.join(""), fileMode);
    this.#descriptor = openSync(this.#path, "a");
    this.#lines = lines.length;
  }

  #size(): number {
    return [...this.#tables.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
