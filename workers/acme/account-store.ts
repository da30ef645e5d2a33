/** The account at one CA: its key, its URI there, and which of the CA's orders belongs to which of ours. */
import type { CaDescription } from "../../shared/acme/ca.ts";

export const accountTables = `
  CREATE TABLE account (
    only INTEGER PRIMARY KEY CHECK (only = 1), key TEXT NOT NULL, uri TEXT, description TEXT, described_at INTEGER
  );
  CREATE TABLE ca_orders (id TEXT PRIMARY KEY, url TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX ca_orders_by_age ON ca_orders (at);`;

/** A CA forgets an order that comes to nothing within about a week. */
export const orderMemoryMs = 7 * 86_400_000;

type Row = { key: string; uri: string | null; description: string | null; described_at: number | null };

export interface KnownDescription {
  readonly description: CaDescription;
  readonly at: number;
}

export class AccountStore {
  readonly #sql: DurableObjectStorage["sql"];

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
  }

  /** PEM. */
  get key(): string | undefined {
    return this.#row()?.key;
  }

  /** The key that counts from now on: the one that was there already, if there was one. */
  keepKey(key: string): string {
    this.#sql.exec("INSERT INTO account (only, key) VALUES (1, ?) ON CONFLICT DO NOTHING", key);
    return this.#row()?.key ?? key;
  }

  get uri(): string | undefined {
    return this.#row()?.uri ?? undefined;
  }

  /** Registered, or found again under another URI. */
  setUri(uri: string): void {
    this.#sql.exec("UPDATE account SET uri = ?", uri);
  }

  /** The CA does not know it any more. */
  forgetUri(uri: string): void {
    this.#sql.exec("UPDATE account SET uri = NULL, description = NULL, described_at = NULL WHERE uri = ?", uri);
  }

  /** What the CA last said of itself and of the account that we have there now. */
  get description(): KnownDescription | undefined {
    const row = this.#row();
    if (!row || row.description === null || row.described_at === null) return undefined;
    const description = JSON.parse(row.description) as CaDescription;
    return description.accountUri === row.uri ? { description, at: row.described_at } : undefined;
  }

  setDescription(description: CaDescription, now: number): void {
    this.#sql.exec("UPDATE account SET description = ?, described_at = ?", JSON.stringify(description), now);
  }

  orderUrl(id: string): string | undefined {
    return this.#sql.exec<{ url: string }>("SELECT url FROM ca_orders WHERE id = ?", id).toArray()[0]?.url;
  }

  setOrderUrl(id: string, url: string, now: number): void {
    this.#sql.exec("DELETE FROM ca_orders WHERE at <= ?", now - orderMemoryMs);
    this.#sql.exec("INSERT OR REPLACE INTO ca_orders VALUES (?, ?, ?)", id, url, now);
  }

  #row(): Row | undefined {
    return this.#sql.exec<Row>("SELECT key, uri, description, described_at FROM account").toArray()[0];
  }
}
