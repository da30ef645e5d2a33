/**
 * Looks from outside at the CAA records that should stand at a node's names: whoever serves the zone may answer with
 * others without a word. It tells and warns, and never holds up an order.
 */
import { withDeadline } from "../deadline.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export const caaTable = `
  CREATE TABLE caa_watch (
    only INTEGER PRIMARY KEY CHECK (only = 1), noted_at INTEGER NOT NULL, look_at INTEGER, attempt INTEGER NOT NULL,
    detail TEXT, remedy TEXT NOT NULL
  );`;

/** When the records are new, so that nobody can have older ones in a cache. */
const firstLookMs = 30_000;
/** After a change: by then caches have forgotten what stood there. */
const changeLookMs = 3_600_000;
/** While something is wrong, so that it is seen soon when it has been put right. */
const troubledLookMs = 15 * 60_000;
/** The node's other alarms wait for it. */
const maxLookMs = 30_000;
const unreadBackoff = { baseMs: 30_000, maxMs: 3_600_000 };

type Row = { noted_at: number; look_at: number | null; attempt: number; detail: string | null; remedy: string };

export interface CaaWatchParts {
  readonly sql: DurableObjectStorage["sql"];
  readonly node: () => NodeId;
  /** How often it is looked at while nothing changes. */
  readonly lookMs: number;
  /** Whether what is wanted has been written. */
  readonly areWritten: () => Promise<boolean>;
  /** What is wrong with the CAA records in force at the name of these records, if anything is. */
  readonly judge: (wanted: readonly DnsRecord[]) => Promise<Trouble | undefined>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export class CaaWatch {
  readonly #parts: CaaWatchParts;

  constructor(parts: CaaWatchParts) {
    this.#parts = parts;
  }

  /** What was wrong when it was looked at last. */
  get trouble(): Trouble | undefined {
    const { detail, remedy } = this.#row();
    return detail === null ? undefined : { detail, remedy };
  }

  /** Other records are wanted from now on. */
  expect(wanted: readonly DnsRecord[], before: readonly DnsRecord[]): void {
    const { clock, lookMs } = this.#parts;
    const now = clock.now();
    const caa = caaOf(wanted);
    if (JSON.stringify(caa) === JSON.stringify(caaOf(before))) return;
    if (caa.length === 0) {
      this.#write({ noted_at: now, look_at: null, attempt: 0, detail: null, remedy: "" });
      return;
    }
    const waitMs = Math.min(lookMs, caaOf(before).length === 0 ? firstLookMs : changeLookMs);
    const row = this.#row();
    const look_at = Math.min(row.look_at ?? Infinity, now + waitMs);
    this.#write({ ...row, noted_at: now, look_at, attempt: 0 });
  }

  async lookDue(wanted: readonly DnsRecord[]): Promise<void> {
    const { clock, log, lookMs, node } = this.#parts;
    if ((this.nextDue() ?? Infinity) > clock.now()) return;
    const seen = await this.#look(caaOf(wanted));
    const row = this.#row();
    if (row.look_at === null) return; // nothing is wanted any more
    const now = clock.now();
    if (seen === "unread") {
      const waitMs = decideBackoffMs(row.attempt, { ...unreadBackoff, random: this.#parts.random });
      this.#write({ ...row, noted_at: now, look_at: now + Math.min(lookMs, waitMs), attempt: row.attempt + 1 });
      return;
    }
    const waitMs = Math.min(lookMs, seen ? troubledLookMs : Infinity);
    const { detail = null, remedy = "" } = seen ?? {};
    if (seen && seen.detail !== row.detail) log.warn("caa.mismatched", { node: node(), ...seen });
    this.#write({ noted_at: now, look_at: now + waitMs, attempt: 0, detail, remedy });
  }

  nextDue(): number | undefined {
    const { look_at, noted_at } = this.#row();
    const now = this.#parts.clock.now();
    // One that was set in what is now the future, because the clock has gone back, is due now.
    return noted_at > now && look_at !== null ? now : (look_at ?? undefined);
  }

  async #look(caa: readonly DnsRecord[]): Promise<Trouble | undefined | "unread"> {
    const { areWritten, log, node } = this.#parts;
    try {
      return (await areWritten()) ? await withDeadline(this.#judge(caa), "The resolver", maxLookMs) : "unread";
    } catch (error) {
      log.warn("caa.unread", { node: node(), error: errorText(error) });
      return "unread";
    }
  }

  /** At every name in turn, until something is wrong with one. */
  async #judge(caa: readonly DnsRecord[]): Promise<Trouble | undefined> {
    for (const name of new Set(caa.map((record) => record.name))) {
      const trouble = await this.#parts.judge(caa.filter((record) => record.name === name));
      if (trouble) return trouble;
    }
    return undefined;
  }

  #row(): Row {
    const none: Row = { noted_at: 0, look_at: null, attempt: 0, detail: null, remedy: "" };
    return this.#parts.sql.exec<Row>("SELECT * FROM caa_watch").toArray()[0] ?? none;
  }

  #write({ noted_at, look_at, attempt, detail, remedy }: Row): void {
    this.#parts.sql.exec(
      "INSERT OR REPLACE INTO caa_watch VALUES (1, ?, ?, ?, ?, ?)",
      noted_at,
      look_at,
      attempt,
      detail,
      remedy,
    );
  }
}

function caaOf(records: readonly DnsRecord[]): DnsRecord[] {
  return records.filter(({ type }) => type === "CAA");
}
