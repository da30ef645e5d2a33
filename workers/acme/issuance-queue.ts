/**
 * The issuance budget of one CA: which orders it has been asked for, and which of them wait. First come, first served;
 * each decision is stored in the transaction in which it is made, so that none is lost or counted twice.
 */
import { decideAdmission, nameSetOf, type AdmittedOrder, type IssuanceLimits } from "../../shared/acme/budget.ts";
import type { Admission, AdmissionRequest } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";

export const issuanceTables = `
  CREATE TABLE admissions (
    serial INTEGER PRIMARY KEY, id TEXT NOT NULL, names TEXT NOT NULL, at INTEGER NOT NULL, outcome TEXT
  );
  CREATE INDEX admissions_by_id ON admissions (id);
  CREATE TABLE waiting (
    serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, names TEXT NOT NULL, asked_at INTEGER NOT NULL
  );`;

/** One that has not asked again for so long has gone away; who waits asks every quarter of an hour. */
export const forgottenMs = 2 * 3_600_000;

type Outcome = "issued" | "failed";

export interface IssuanceQueueParts {
  readonly storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly limits: IssuanceLimits;
  readonly clock: Clock;
}

export class IssuanceQueue {
  readonly #parts: IssuanceQueueParts;

  constructor(parts: IssuanceQueueParts) {
    this.#parts = parts;
  }

  admit({ order, hostnames, exempt }: AdmissionRequest, { queue }: { queue: boolean }): Admission {
    if (exempt) return { admitted: true };
    return this.#parts.storage.transactionSync(() => this.#admit(order, nameSetOf(hostnames), queue));
  }

  settle(order: string, outcome: Outcome): void {
    const { storage, clock } = this.#parts;
    storage.transactionSync(() => {
      const { sql } = storage;
      sql.exec("DELETE FROM waiting WHERE id = ?", order);
      if (outcome === "issued")
        sql.exec(
          "UPDATE admissions SET outcome = 'issued', at = ? WHERE id = ? AND outcome IS NULL",
          clock.now(),
          order,
        );
      else sql.exec("UPDATE admissions SET outcome = 'failed' WHERE id = ? AND outcome IS NULL", order);
    });
  }

  /** Within a transaction. */
  #admit(order: string, names: string, queue: boolean): Admission {
    const { storage, limits, clock } = this.#parts;
    const { sql } = storage;
    const now = clock.now();
    const open = sql.exec("SELECT 1 FROM admissions WHERE id = ? AND outcome IS NULL", order).toArray();
    if (open.length > 0) return { admitted: true };

    this.#forget(now);
    const budget = { limits, admitted: this.#admitted(), queue: this.#waiting() };
    const admission = decideAdmission(budget, { order, names }, now);
    if (admission.admitted) {
      sql.exec("INSERT INTO admissions (id, names, at) VALUES (?, ?, ?)", order, names, now);
      sql.exec("DELETE FROM waiting WHERE id = ?", order);
    } else if (queue)
      sql.exec(
        `INSERT INTO waiting (id, names, asked_at) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET names = excluded.names, asked_at = excluded.asked_at`,
        order,
        names,
        now,
      );
    return admission;
  }

  /** What counts no more. A time that lies in the future, because the clock has gone back, is one of now. */
  #forget(now: number): void {
    const { storage, limits } = this.#parts;
    const { sql } = storage;
    const longestMs = Math.max(limits.certificates.windowMs, limits.duplicates.windowMs, limits.orders.windowMs);
    sql.exec("UPDATE admissions SET at = ? WHERE at > ?", now, now);
    sql.exec("UPDATE waiting SET asked_at = ? WHERE asked_at > ?", now, now);
    sql.exec(
      "DELETE FROM admissions WHERE at <= ? OR (outcome = 'failed' AND at <= ?)",
      now - longestMs,
      now - limits.orders.windowMs,
    );
    sql.exec("DELETE FROM waiting WHERE asked_at <= ?", now - forgottenMs);
  }

  #admitted(): AdmittedOrder[] {
    return this.#parts.storage.sql
      .exec<{ names: string; at: number; outcome: Outcome | null }>("SELECT names, at, outcome FROM admissions")
      .toArray()
      .map(({ names, at, outcome }) => ({ names, at, failed: outcome === "failed" }));
  }

  #waiting(): { order: string; names: string }[] {
    return this.#parts.storage.sql
      .exec<{ order: string; names: string }>('SELECT id AS "order", names FROM waiting ORDER BY serial')
      .toArray();
  }
}
