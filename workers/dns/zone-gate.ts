/**
 * Whether the provider may be called now: the budget of calls, a pause after a failure, the quota of records; and
 * which names the batch under way is about, should the object die before its answer.
 */
import { nextCallAt, spendCall } from "./call-budget.ts";
import type { ProviderError, ProviderFailureKind } from "./provider.ts";
import { troubleOf } from "./trouble.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";

export const gateTables = `
  CREATE TABLE gate (
    only INTEGER PRIMARY KEY CHECK (only = 1), tokens REAL NOT NULL, tokens_at INTEGER NOT NULL, flight TEXT,
    attempt INTEGER NOT NULL, blocked_until INTEGER NOT NULL, kind TEXT, detail TEXT, quota_until INTEGER NOT NULL,
    quota_detail TEXT, reconcile_at INTEGER
  );
  INSERT INTO gate VALUES (1, 1e9, 0, NULL, 0, 0, NULL, NULL, 0, NULL, NULL);`;

export const gateBackoff = { baseMs: 1_000, maxMs: 60_000 };
/** How long new addresses wait when the zone is full; existing records stay. */
export const quotaPauseMs = 10 * 60_000;

interface GateParts {
  readonly sql: DurableObjectStorage["sql"];
  readonly clock: Clock;
  readonly random: () => number;
  readonly callsPer5Min: number;
}

type GateRow = {
  tokens: number;
  tokens_at: number;
  flight: string | null;
  attempt: number;
  blocked_until: number;
  kind: ProviderFailureKind | null;
  detail: string | null;
  quota_until: number;
  quota_detail: string | null;
  reconcile_at: number | null;
};

export class ZoneGate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** When the provider may be called; in the past or now when it may be. */
  get opensAt(): number {
    const { tokens, tokens_at: at, blocked_until } = this.#read();
    return Math.max(blocked_until, nextCallAt({ tokens, at }, this.#parts.clock.now(), this.#parts.callsPer5Min));
  }

  get isOpen(): boolean {
    return this.opensAt <= this.#parts.clock.now();
  }

  /** Pays for a call, and notes the names that it writes to. */
  takeOff(names?: Iterable<string>): void {
    const { sql, clock, callsPer5Min } = this.#parts;
    const { tokens, tokens_at: at } = this.#read();
    const left = spendCall({ tokens, at }, clock.now(), callsPer5Min) ?? { tokens: 0, at: clock.now() };
    const flight = names ? JSON.stringify([...new Set(names)]) : null;
    sql.exec("UPDATE gate SET tokens = ?, tokens_at = ?, flight = ?", left.tokens, left.at, flight);
  }

  /** The call has been answered, as is fit. */
  land(): void {
    this.#parts.sql.exec("UPDATE gate SET flight = NULL, attempt = 0, blocked_until = 0, kind = NULL, detail = NULL");
  }

  /** What a call was about whose answer never came, because the object died. */
  takeInterrupted(): string[] {
    const { flight } = this.#read();
    if (flight === null) return [];
    this.#parts.sql.exec("UPDATE gate SET flight = NULL");
    return JSON.parse(flight) as string[];
  }

  /** The provider cannot be used for a while; tells for how long. */
  block(error: ProviderError): number {
    const { sql, clock, random } = this.#parts;
    const { attempt } = this.#read();
    const waitMs = Math.max(error.retryAfterMs ?? 0, decideBackoffMs(attempt, { ...gateBackoff, random }));
    sql.exec(
      "UPDATE gate SET flight = NULL, attempt = ?, blocked_until = ?, kind = ?, detail = ?",
      attempt + 1,
      clock.now() + waitMs,
      error.kind,
      error.message,
    );
    return waitMs;
  }

  /** Until when no new addresses are written, since the zone is full. */
  get quotaUntil(): number {
    return this.#read().quota_until;
  }

  hitQuota(error: ProviderError): void {
    const { sql, clock } = this.#parts;
    sql.exec("UPDATE gate SET quota_until = ?, quota_detail = ?", clock.now() + quotaPauseMs, error.message);
  }

  /** What is wrong with the zone as a whole; `lasting` when it will not pass by itself soon. */
  trouble(): (Trouble & { readonly lasting: boolean }) | undefined {
    const { kind, detail, attempt } = this.#read();
    if (kind === null || detail === null) return undefined;
    const lasting = kind === "unauthorized" || attempt >= 3;
    return { ...troubleOf({ kind, message: detail }), lasting };
  }

  quotaTrouble(): Trouble | undefined {
    const { quota_until, quota_detail } = this.#read();
    if (quota_detail === null || quota_until <= this.#parts.clock.now()) return undefined;
    return troubleOf({ kind: "quota", message: quota_detail });
  }

  /** When the zone is to be read as a whole; undefined before the first time. */
  get reconcileAt(): number | undefined {
    return this.#read().reconcile_at ?? undefined;
  }

  set reconcileAt(at: number) {
    this.#parts.sql.exec("UPDATE gate SET reconcile_at = ?", at);
  }

  #read(): GateRow {
    return this.#parts.sql.exec<GateRow>("SELECT * FROM gate").one();
  }
}
