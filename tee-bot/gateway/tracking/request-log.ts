import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Batches, BatchWriter } from "../../store/batches.ts";
import type { GatewaySettings } from "../settings.ts";
import { parseRecords, recordText } from "./record-text.ts";
import type { RequestRecord } from "./track.ts";

export type RequestLogSettings = GatewaySettings["requests"];

export interface RequestLogOptions {
  store: DatabaseSync;
  batches: Batches;
  settings: RequestLogSettings;
  clock: Clock;
  log: Log;
}

/** A call that has ended, and waits to be written. */
interface Line {
  readonly id: string;
  readonly at: number;
  readonly text: string;
}

/** Records in one row, which are written in half a millisecond, in which no call goes on. */
const recordsPerRow = 200;
/** Rows that are too old or too many, in one turn. */
const prunedPerTurn = 400;
/** Records that wait for the disk; beyond, the oldest are lost, and that is told. */
const maxPending = 20_000;
const dayMs = 86_400_000;
/** So that rows grow too old also while nobody calls. */
const pruneEveryMs = 3_600_000;

/**
 * The newest requests on disk: so many, and so old, as the settings say. Never what was asked or answered. What has ended
 * since the last turn is one row, and goes as one, when none of it is to be kept: a row for each call costs three times
 * as much.
 */
export class RequestLog implements BatchWriter, Disposable {
  readonly #batches: Batches;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #insert: StatementSync;
  readonly #around: StatementSync;
  readonly #newest: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;
  readonly #pruning: NodeJS.Timeout;
  #settings: RequestLogSettings;
  #pending: Line[] = [];
  /** Of all rows. */
  #kept: number;
  /** What the last `write` has done, if it comes to be in the file. */
  #turn = { written: 0, pruned: 0 };

  constructor({ store, batches, settings, clock, log }: RequestLogOptions) {
    this.#insert = store.prepare(
      "INSERT INTO request_batches (lowest, highest, newest_at, count, records) VALUES (?, ?, ?, ?, ?)",
    );
    this.#around = store.prepare(
      "SELECT seq, records FROM request_batches WHERE highest >= ? AND lowest <= ? ORDER BY highest",
    );
    this.#newest = store.prepare("SELECT records FROM request_batches WHERE seq <= ? ORDER BY seq DESC");
    this.#oldest = store.prepare("SELECT seq, newest_at, count FROM request_batches ORDER BY seq");
    this.#delete = store.prepare("DELETE FROM request_batches WHERE seq <= ?");
    const all = store.prepare("SELECT coalesce(sum(count), 0) AS kept FROM request_batches").get();
    this.#kept = Number(all?.["kept"]);
    this.#batches = batches;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    batches.add(this);
    batches.touch();
    this.#pruning = setInterval(() => batches.touch(), pruneEveryMs).unref();
  }

  follow(settings: RequestLogSettings): void {
    this.#settings = settings;
    this.#batches.touch();
  }

  /** Its text is made now: of a record that waited, everything it refers to would outlive two collections. */
  add(record: RequestRecord): void {
    this.#pending.push({ id: record.id, at: record.at, text: recordText(record) });
    if (this.#pending.length > maxPending) {
      const lost = this.#pending.splice(0, maxPending / 2).length;
      this.#turn.written = 0;
      this.#log.warn("request-log.fell-behind", { lost });
    }
    this.#batches.touch();
    if (this.#pending.length >= recordsPerRow) this.#batches.hurry();
  }

  find(id: string): RequestRecord | undefined {
    this.#batches.flush();
    const waiting = this.#pending.find((line) => line.id === id); // while the disk fails
    return waiting ? parseRecords(`[${waiting.text}]`)[0] : this.#findRow(id)?.record;
  }

  /** Those that ended before this one, the newest first; undefined: the newest of all. */
  list(limit: number, before: string | undefined): RequestRecord[] {
    this.#batches.flush();
    const from = before === undefined ? Number.MAX_SAFE_INTEGER : this.#findRow(before)?.seq;
    const found: RequestRecord[] = [];
    let isBefore = before === undefined;
    for (const record of from === undefined ? [] : this.#newestFirst(from)) {
      if (isBefore) found.push(record);
      else isBefore = record.id === before;
      if (found.length === limit) break;
    }
    return found;
  }

  write(): boolean {
    const lines = this.#pending.slice(0, recordsPerRow);
    if (lines.length > 0) this.#insertRow(lines);
    this.#turn = { written: lines.length, pruned: 0 };
    return this.#pending.length > lines.length || this.#pruneSome();
  }

  written(): void {
    const { written, pruned } = this.#turn;
    this.#turn = { written: 0, pruned: 0 };
    this.#pending.splice(0, written);
    this.#kept += written - pruned;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pruning);
  }

  #insertRow(lines: readonly Line[]): void {
    let [{ id: lowest, id: highest, at: newestAt }] = lines as readonly [Line];
    for (const { id, at } of lines) {
      if (id < lowest) lowest = id;
      if (id > highest) highest = id;
      if (at > newestAt) newestAt = at;
    }
    const records = `[${lines.map(({ text }) => text).join(",")}]`;
    this.#insert.run(lowest, highest, newestAt, lines.length, records);
  }

  /** Whether there may be more to prune. */
  #pruneSome(): boolean {
    const { keep, days } = this.#settings;
    const before = this.#clock.now() - days * dayMs;
    const { written } = this.#turn;
    let rows = 0;
    let last = 0;
    for (const { seq, newest_at, count } of this.#oldest.iterate()) {
      const left = this.#kept + written - this.#turn.pruned - Number(count);
      if (rows === prunedPerTurn || (left < keep && Number(newest_at) >= before)) break;
      this.#turn.pruned += Number(count);
      last = Number(seq);
      rows++;
    }
    if (rows > 0) this.#delete.run(last);
    return rows === prunedPerTurn;
  }

  /** The row that has a record, which is among those whose ids are on both sides of its own. */
  #findRow(id: string): { seq: number; record: RequestRecord } | undefined {
    for (const { seq, records } of this.#around.iterate(id, id)) {
      const record = parseRecords(String(records)).find((one) => one.id === id);
      if (record) return { seq: Number(seq), record };
    }
    return undefined;
  }

  *#newestFirst(seq: number): Iterable<RequestRecord> {
    for (const { records } of this.#newest.iterate(seq)) yield* parseRecords(String(records)).toReversed();
  }
}
