import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Batches, BatchWriter } from "../../store/batches.ts";
import type { AnswerProof } from "../providers/provider.ts";
import type { GatewaySettings } from "../settings.ts";
import { parseRecords, recordText } from "./record-text.ts";
import { RequestRows, type Line, type RowSummary } from "./request-rows.ts";
import type { RequestRecord } from "./track.ts";

export type RequestLogSettings = GatewaySettings["requests"];

export interface RequestLogOptions {
  store: DatabaseSync;
  batches: Batches;
  settings: RequestLogSettings;
  clock: Clock;
  log: Log;
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
  readonly #rows: RequestRows;
  readonly #batches: Batches;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pruning: NodeJS.Timeout;
  #settings: RequestLogSettings;
  #pending: Line[] = [];
  #proofs: { readonly id: string; readonly proof: AnswerProof }[] = [];
  /** Records that are written. */
  #kept: number;
  /** What the last `write` has done, if it comes to be in the file. */
  #turn = { written: 0, proved: 0, pruned: 0 };

  constructor({ store, batches, settings, clock, log }: RequestLogOptions) {
    this.#rows = new RequestRows(store);
    this.#kept = this.#rows.count();
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
    if (record.proof) this.prove(record.id, record.proof);
    if (this.#pending.length > maxPending) {
      const lost = this.#pending.splice(0, maxPending / 2).length;
      this.#turn.written = 0;
      this.#log.warn("request-log.fell-behind", { lost });
    }
    this.#batches.touch();
    if (this.#pending.length >= recordsPerRow) this.#batches.hurry();
  }

  /** What is known of where a call's answer was made; also after its end. */
  prove(id: string, proof: AnswerProof): void {
    if (this.#proofs.length < maxPending) this.#proofs.push({ id, proof });
    this.#batches.touch();
  }

  find(id: string): RequestRecord | undefined {
    this.#batches.flush();
    const waiting = this.#pending.find((line) => line.id === id); // while the disk fails
    const record = waiting ? parseRecords(`[${waiting.text}]`)[0] : this.#rows.find(id)?.record;
    return record && this.#withProof(record);
  }

  /** Those that ended before this one, the newest first; undefined: the newest of all. */
  list(limit: number, before: string | undefined): RequestRecord[] {
    this.#batches.flush();
    const row = before === undefined ? undefined : this.#rows.find(before);
    if (before !== undefined && !row) return [];
    const found: RequestRecord[] = [];
    let isBefore = before === undefined;
    for (const record of this.#rows.newestFirst(row?.seq)) {
      if (isBefore) found.push(this.#withProof(record));
      else isBefore = record.id === before;
      if (found.length === limit) break;
    }
    return found;
  }

  write(): boolean {
    const lines = this.#pending.slice(0, recordsPerRow);
    const proofs = this.#proofs.slice(0, recordsPerRow);
    this.#rows.insert(lines);
    for (const { id, proof } of proofs) this.#rows.insertProof(id, proof, this.#clock.now());
    this.#turn = { written: lines.length, proved: proofs.length, pruned: 0 };
    const isLeft = this.#pending.length > lines.length || this.#proofs.length > proofs.length;
    return this.#pruneSome() || isLeft;
  }

  written(): void {
    const { written, proved, pruned } = this.#turn;
    this.#turn = { written: 0, proved: 0, pruned: 0 };
    this.#pending.splice(0, written);
    this.#proofs.splice(0, proved);
    this.#kept += written - pruned;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pruning);
  }

  /** Whether there may be more to prune. */
  #pruneSome(): boolean {
    const { keep, days } = this.#settings;
    const before = this.#clock.now() - days * dayMs;
    let left = this.#kept + this.#turn.written;
    let last: RowSummary | undefined;
    let rows = 0;
    for (const row of this.#rows.oldestFirst()) {
      if (rows === prunedPerTurn || (left - row.count < keep && row.newestAt >= before)) break;
      left -= row.count;
      last = row;
      rows++;
    }
    if (last) this.#rows.prune(last);
    this.#turn.pruned = this.#kept + this.#turn.written - left;
    return rows === prunedPerTurn;
  }

  #withProof(record: RequestRecord): RequestRecord {
    const proof = this.#proofs.find(({ id }) => id === record.id)?.proof ?? this.#rows.findProof(record.id);
    return proof ? { ...record, proof } : record;
  }
}
