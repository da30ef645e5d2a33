/**
 * Messages to other objects, written in the same transaction as what they tell of and delivered until they arrive:
 * at least once, in any order. A newer message with the same key takes the place of an older one.
 */
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";

export const outboxTable =
  "CREATE TABLE outbox (key TEXT PRIMARY KEY, message TEXT NOT NULL, serial INTEGER NOT NULL, attempt INTEGER NOT NULL, due_at INTEGER NOT NULL);";

export const outboxBackoff = { baseMs: 1_000, maxMs: 60_000 };

type Row = { key: string; message: string; serial: number; attempt: number; due_at: number };

export interface OutboxParts<Message> {
  readonly sql: DurableObjectStorage["sql"];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Has to have a deadline; throws when the message has not arrived. */
  readonly deliver: (message: Message) => Promise<void>;
}

export class Outbox<Message> {
  readonly #parts: OutboxParts<Message>;

  constructor(parts: OutboxParts<Message>) {
    this.#parts = parts;
  }

  /** `serial` grows with every message of the object. Due at once. */
  put(key: string, message: Message, serial: number): void {
    const { sql, clock } = this.#parts;
    sql.exec("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, 0, ?)", key, JSON.stringify(message), serial, clock.now());
  }

  drop(key: string): void {
    this.#parts.sql.exec("DELETE FROM outbox WHERE key = ?", key);
  }

  /** Delivers what is due; what fails is due again later. Never throws for a failed delivery. */
  async flush(): Promise<void> {
    const { sql, clock } = this.#parts;
    const due = sql.exec<Row>("SELECT * FROM outbox WHERE due_at <= ? ORDER BY serial", clock.now()).toArray();
    await Promise.all(due.map((row) => this.#send(row)));
  }

  nextDue(): number | undefined {
    return this.#parts.sql.exec<{ at: number | null }>("SELECT min(due_at) at FROM outbox").one().at ?? undefined;
  }

  async #send({ key, message, serial, attempt }: Row): Promise<void> {
    const { sql, clock, random, log, deliver } = this.#parts;
    try {
      await deliver(JSON.parse(message) as Message);
      sql.exec("DELETE FROM outbox WHERE key = ? AND serial = ?", key, serial); // a newer one stays
    } catch (error) {
      const waitMs = decideBackoffMs(attempt, { ...outboxBackoff, random });
      sql.exec(
        "UPDATE outbox SET attempt = ?, due_at = ? WHERE key = ? AND serial = ?",
        attempt + 1,
        clock.now() + waitMs,
        key,
        serial,
      );
      log.warn("delivery.postponed", { key, attempt, waitMs, error: errorText(error) });
    }
  }
}
