import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Batches, BatchWriter } from "../../store/batches.ts";

const rememberedMonths = 24;

/**
 * Tokens that each key has used in the calendar month (UTC): prompt and completion, of all endpoints. In the file they are
 * half a second late; a crash in between counts for the client.
 */
export class MonthlyUsage implements BatchWriter {
  readonly #put: StatementSync;
  readonly #batches: Batches;
  readonly #tokens = new Map<string, number>();
  readonly #changed = new Set<string>();
  #written: string[] = [];
  #month: Month;

  constructor({ store, batches, now }: { store: DatabaseSync; batches: Batches; now: number }) {
    this.#put = store.prepare(
      "INSERT INTO usage (key, month, tokens) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tokens = excluded.tokens",
    );
    this.#batches = batches;
    this.#month = monthOf(now);
    const oldest = monthOf(new Date(now).setUTCMonth(new Date(now).getUTCMonth() - rememberedMonths, 1)).name;
    store.prepare("DELETE FROM usage WHERE month < ?").run(oldest);
    for (const row of store.prepare("SELECT key, tokens FROM usage WHERE month = ?").all(this.#month.name))
      this.#tokens.set(String(row["key"]), Number(row["tokens"]));
    batches.add(this);
  }

  of(key: string, now: number): number {
    this.#turn(now);
    return this.#tokens.get(key) ?? 0;
  }

  add(key: string, tokens: number, now: number): void {
    if (tokens <= 0) return;
    this.#turn(now);
    this.#tokens.set(key, (this.#tokens.get(key) ?? 0) + tokens);
    this.#changed.add(key);
    this.#batches.touch();
  }

  /** When the budgets begin anew. */
  endOfMonth(now: number): number {
    this.#turn(now);
    return this.#month.end;
  }

  write(): boolean {
    this.#written = [...this.#changed];
    for (const key of this.#written) this.#put.run(key, this.#month.name, this.#tokens.get(key) ?? 0);
    return false;
  }

  written(): void {
    for (const key of this.#written) this.#changed.delete(key);
  }

  #turn(now: number): void {
    if (now < this.#month.end) return;
    this.#batches.flush(); // what belongs to the month that is over
    this.#month = monthOf(now);
    this.#tokens.clear();
    this.#changed.clear();
  }
}

interface Month {
  /** `2026-11`. */
  readonly name: string;
  readonly end: number;
}

function monthOf(now: number): Month {
  const at = new Date(now);
  return { name: at.toISOString().slice(0, 7), end: Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) };
}
