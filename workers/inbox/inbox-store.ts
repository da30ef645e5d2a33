/** The tables of one node's inbox. */
import { lifetimesMs, maxDeadPerNode, maxRememberedPerNode } from "./limits.ts";
import { maxBatch, type InboxDeclaration } from "../../shared/inbox/messages.ts";
import { fromHex } from "../../shared/hex.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export const inboxTables = `
  CREATE TABLE inbox (only INTEGER PRIMARY KEY CHECK (only = 1), node TEXT NOT NULL, epoch INTEGER NOT NULL, key BLOB NOT NULL, secret TEXT NOT NULL);
  CREATE TABLE hooks (name TEXT PRIMARY KEY, secret TEXT, max_bytes INTEGER NOT NULL);
  CREATE TABLE deliveries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, hook TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL,
    since INTEGER NOT NULL, sealed BLOB NOT NULL, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX deliveries_by_id ON deliveries (hook, id);
  CREATE INDEX deliveries_by_hook ON deliveries (hook, state, sequence);
  CREATE INDEX deliveries_by_age ON deliveries (state, since);`;

/** `waiting` for the node, `done`: only its id is remembered, `dead`: given up, and kept for a while. */
export type DeliveryState = keyof typeof lifetimesMs;

export type HeldInbox = { node: NodeId; epoch: number; key: ArrayBuffer; secret: string };
export type HeldHook = { name: string; secret: string | null; max_bytes: number };
export type HeldDelivery = { sequence: number; hook: string; attempts: number; due_at: number; sealed: ArrayBuffer };

export class InboxStore {
  readonly #sql: DurableObjectStorage["sql"];

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
  }

  read(): HeldInbox | undefined {
    return this.#sql.exec<HeldInbox>("SELECT node, epoch, key, secret FROM inbox").toArray()[0];
  }

  write(node: NodeId, { epoch, key, secret, hooks }: InboxDeclaration): void {
    this.#sql.exec("INSERT OR REPLACE INTO inbox VALUES (1, ?, ?, ?, ?)", node, epoch, fromHex(key), secret);
    this.#sql.exec("DELETE FROM hooks");
    for (const { name, secret: own = null, maxBytes } of hooks)
      this.#sql.exec("INSERT OR REPLACE INTO hooks VALUES (?, ?, ?)", name, own, maxBytes);
  }

  raiseEpoch(epoch: number): void {
    this.#sql.exec("UPDATE inbox SET epoch = ? WHERE epoch < ?", epoch, epoch);
  }

  hooks(): HeldHook[] {
    return this.#sql.exec<HeldHook>("SELECT * FROM hooks ORDER BY name").toArray();
  }

  has(hook: string, id: string): boolean {
    return this.#sql.exec("SELECT 1 FROM deliveries WHERE hook = ? AND id = ?", hook, id).toArray().length > 0;
  }

  /** Whether it is new. */
  add({ hook, id, sealed }: { hook: string; id: string; sealed: Uint8Array }, now: number): boolean {
    const row =
      "INSERT INTO deliveries (hook, id, state, since, sealed, attempts, due_at) VALUES (?, ?, 'waiting', ?, ?, 0, 0)";
    return this.#sql.exec(`${row} ON CONFLICT DO NOTHING RETURNING 1`, hook, id, now, sealed).toArray().length > 0;
  }

  hook(name: string): HeldHook | undefined {
    return this.#sql.exec<HeldHook>("SELECT * FROM hooks WHERE name = ?", name).toArray()[0];
  }

  /** The oldest that wait, as many as fit. */
  oldest(hook: string, maxBytes: number): HeldDelivery[] {
    const rows = this.#sql.exec<HeldDelivery>(
      "SELECT sequence, hook, attempts, due_at, sealed FROM deliveries WHERE hook = ? AND state = 'waiting' ORDER BY sequence LIMIT ?",
      hook,
      maxBatch,
    );
    const fitting: HeldDelivery[] = [];
    let bytes = 0;
    for (const row of rows) {
      bytes += row.sealed.byteLength;
      if (bytes > maxBytes) break;
      fitting.push(row);
    }
    return fitting;
  }

  /** Undefined when it does not wait (any more). */
  attempts(sequence: number): number | undefined {
    return this.#sql
      .exec<{ attempts: number }>("SELECT attempts FROM deliveries WHERE sequence = ? AND state = 'waiting'", sequence)
      .toArray()[0]?.attempts;
  }

  reckon(sequence: number, { attempts, dueAt }: { attempts: number; dueAt: number }): void {
    this.#sql.exec("UPDATE deliveries SET attempts = ?, due_at = ? WHERE sequence = ?", attempts, dueAt, sequence);
  }

  /** It waits no more. */
  end(sequence: number, state: "done" | "dead", now: number): void {
    const content = state === "done" ? ", sealed = x''" : "";
    this.#sql.exec(`UPDATE deliveries SET state = ?, since = ?${content} WHERE sequence = ?`, state, now, sequence);
  }

  /** What was given up waits again, as if it had just come. */
  revive(now: number): void {
    this.#sql.exec(
      "UPDATE deliveries SET state = 'waiting', since = ?, attempts = 0, due_at = 0 WHERE state = 'dead'",
      now,
    );
  }

  /** What waits of each hook, and how many bytes in all. */
  load(): { counts: Map<string, number>; bytes: number } {
    const rows = this.#sql
      .exec<{ hook: string; count: number; bytes: number }>(
        "SELECT hook, count(*) count, sum(length(sealed)) bytes FROM deliveries WHERE state = 'waiting' GROUP BY hook",
      )
      .toArray();
    const counts = new Map(rows.map(({ hook, count }) => [hook, count]));
    return { counts, bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  count(state: DeliveryState): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) n FROM deliveries WHERE state = ?", state).one().n;
  }

  /** Gives up what has waited too long, and forgets what was kept long enough. Whether anything is left. */
  sweep(now: number): boolean {
    const { waiting, dead, done } = lifetimesMs;
    this.#forget("dead", now - dead, maxDeadPerNode);
    this.#forget("done", now - done, maxRememberedPerNode);
    this.#sql.exec(
      "UPDATE deliveries SET state = 'dead', since = ? WHERE state = 'waiting' AND since <= ?",
      now,
      now - waiting,
    );
    return this.#sql.exec("SELECT 1 FROM deliveries LIMIT 1").toArray().length > 0;
  }

  /** Those of before, and those above the number that is kept, oldest first. */
  #forget(state: "dead" | "done", before: number, kept: number): void {
    this.#sql.exec("DELETE FROM deliveries WHERE state = ? AND since <= ?", state, before);
    this.#sql.exec(
      "DELETE FROM deliveries WHERE sequence IN (SELECT sequence FROM deliveries WHERE state = ? ORDER BY since DESC LIMIT -1 OFFSET ?)",
      state,
      kept,
    );
  }
}
