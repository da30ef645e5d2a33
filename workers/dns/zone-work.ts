/** What is still to be done in a zone: names that have to be compared, and records that were refused. */
import { keyOf } from "./zone.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";

export const workTables = `
  CREATE TABLE work (
    name TEXT PRIMARY KEY, urgent INTEGER NOT NULL, unsure_at INTEGER, attempt INTEGER NOT NULL, due_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE refusals (
    name TEXT, type TEXT, content TEXT, attempt INTEGER NOT NULL, due_at INTEGER NOT NULL, detail TEXT NOT NULL,
    remedy TEXT NOT NULL, PRIMARY KEY (name, type, content)
  ) WITHOUT ROWID;`;

export interface NameWork {
  readonly name: string;
  /** A challenge waits for it. */
  readonly urgent: boolean;
  /** Since when it is not known what stands there: it has to be looked up first. */
  readonly unsureAt: number | undefined;
  /** Conflicts in a row. */
  readonly attempt: number;
  readonly dueAt: number;
}

export interface Refusal extends Trouble {
  readonly key: string;
  readonly attempt: number;
  readonly dueAt: number;
}

type WorkRow = { name: string; urgent: number; unsure_at: number | null; attempt: number; due_at: number };
type RefusalRow = {
  name: string;
  type: DnsRecord["type"];
  content: string;
  attempt: number;
  due_at: number;
  detail: string;
  remedy: string;
};

export class ZoneWork {
  readonly #sql: DurableObjectStorage["sql"];

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
  }

  /** Due at once. */
  mark(names: Iterable<string>, { now, urgent = false }: { now: number; urgent?: boolean }): void {
    for (const name of names)
      this.#sql.exec(
        `INSERT INTO work VALUES (?, ?, NULL, 0, ?)
         ON CONFLICT DO UPDATE SET urgent = max(urgent, excluded.urgent), due_at = min(due_at, excluded.due_at)`,
        name,
        urgent ? 1 : 0,
        now,
      );
  }

  /** Has to be looked up, as what was sent may have been done or not. */
  markUnsure(names: Iterable<string>, { now, dueAt = now }: { now: number; dueAt?: number }): void {
    for (const name of names)
      this.#sql.exec(
        `INSERT INTO work VALUES (?, 0, ?, 0, ?)
         ON CONFLICT DO UPDATE SET unsure_at = excluded.unsure_at, due_at = excluded.due_at`,
        name,
        now,
        dueAt,
      );
  }

  /** After a conflict, which is the last of `attempt` in a row. */
  countConflict(name: string, attempt: number): void {
    this.#sql.exec("UPDATE work SET attempt = ? WHERE name = ?", attempt, name);
  }

  markSure(name: string, now: number): void {
    this.#sql.exec("UPDATE work SET unsure_at = NULL, due_at = ? WHERE name = ?", now, name);
  }

  /** Everything that became unsure before `time`: the whole zone was read since. */
  markSureBefore(time: number, now: number): void {
    this.#sql.exec("UPDATE work SET unsure_at = NULL, due_at = min(due_at, ?) WHERE unsure_at <= ?", now, time);
  }

  postpone(name: string, dueAt: number): void {
    this.#sql.exec("UPDATE work SET due_at = ? WHERE name = ?", dueAt, name);
  }

  settle(name: string): void {
    this.#sql.exec("DELETE FROM work WHERE name = ?", name);
  }

  /** The urgent first. */
  due(now: number, limit: number): NameWork[] {
    return this.#sql
      .exec<WorkRow>("SELECT * FROM work WHERE due_at <= ? ORDER BY urgent DESC, due_at, name LIMIT ?", now, limit)
      .toArray()
      .map(workOf);
  }

  at(name: string): NameWork | undefined {
    return this.#sql.exec<WorkRow>("SELECT * FROM work WHERE name = ?", name).toArray().map(workOf)[0];
  }

  nextDue(): number | undefined {
    return this.#sql.exec<{ at: number | null }>("SELECT min(due_at) at FROM work").one().at ?? undefined;
  }

  refuse(record: DnsRecord, { attempt, dueAt, detail, remedy }: Omit<Refusal, "key">): void {
    const { name, type, content } = record;
    this.#sql.exec(
      "INSERT OR REPLACE INTO refusals VALUES (?, ?, ?, ?, ?, ?, ?)",
      name,
      type,
      content,
      attempt,
      dueAt,
      detail,
      remedy,
    );
  }

  refusalsAt(name: string): Refusal[] {
    return this.#sql
      .exec<RefusalRow>("SELECT * FROM refusals WHERE name = ?", name)
      .toArray()
      .map(({ type, content, attempt, due_at, detail, remedy }) => ({
        key: keyOf({ type, content }),
        attempt,
        dueAt: due_at,
        detail,
        remedy,
      }));
  }

  /** Forgets refusals of what is not wanted any more, or stands there now. */
  dropRefusals(name: string, isOver: (key: string) => boolean): void {
    const held = this.#sql.exec<RefusalRow>("SELECT * FROM refusals WHERE name = ?", name).toArray();
    for (const { type, content } of held.filter((row) => isOver(keyOf(row))))
      this.#sql.exec("DELETE FROM refusals WHERE name = ? AND type = ? AND content = ?", name, type, content);
  }
}

const workOf = ({ name, urgent, unsure_at, attempt, due_at }: WorkRow): NameWork => ({
  name,
  urgent: urgent === 1,
  unsureAt: unsure_at ?? undefined,
  attempt,
  dueAt: due_at,
});
