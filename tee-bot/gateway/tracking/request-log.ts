import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Batches, BatchWriter } from "../../store/batches.ts";
import type { GatewaySettings } from "../settings.ts";
import type { AnswerProof } from "../providers/provider.ts";
import { proofText, recordOf, rowColumns, rowOf } from "./record-row.ts";
import type { RequestRecord } from "./track.ts";

export type RequestLogSettings = GatewaySettings["requests"];

export interface RequestLogOptions {
  store: DatabaseSync;
  batches: Batches;
  settings: RequestLogSettings;
  clock: Clock;
  log: Log;
}

/** Rows in one turn: about a millisecond, in which no call goes on. */
const rowsPerTurn = 200;
/** Rows that are too old or too many, in one turn. */
const prunedPerTurn = 400;
/** Records that wait for the disk; beyond, the oldest are lost, and that is told. */
const maxPending = 20_000;
const dayMs = 86_400_000;
/** So that rows grow too old also while nobody calls. */
const pruneEveryMs = 3_600_000;

/** The newest requests on disk: so many, and so old, as the settings say. Never what was asked or answered. */
export class RequestLog implements BatchWriter, Disposable {
  readonly #batches: Batches;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #insert: StatementSync;
  readonly #addProof: StatementSync;
  readonly #byId: StatementSync;
  readonly #before: StatementSync;
  readonly #oldest: StatementSync;
  readonly #pruneMany: StatementSync;
  readonly #pruneOld: StatementSync;
  readonly #pruning: NodeJS.Timeout;
  #settings: RequestLogSettings;
  #pending: RequestRecord[] = [];
  /** Of records that are written. */
  #proofs: { readonly id: string; readonly proof: AnswerProof }[] = [];
  #writing = 0;
  #proving = 0;

  constructor({ store, batches, settings, clock, log }: RequestLogOptions) {
    const places = rowColumns.map(() => "?").join(", ");
    this.#insert = store.prepare(`INSERT INTO requests (${rowColumns.join(", ")}) VALUES (${places})`);
    this.#addProof = store.prepare("UPDATE requests SET proof = ? WHERE id = ?");
    this.#byId = store.prepare("SELECT * FROM requests WHERE id = ?");
    this.#before = store.prepare("SELECT * FROM requests WHERE seq < ? ORDER BY seq DESC LIMIT ?");
    const first = `(SELECT min(seq) FROM requests) + ${prunedPerTurn - 1}`;
    this.#oldest = store.prepare("SELECT at FROM requests ORDER BY seq LIMIT 1");
    this.#pruneMany = store.prepare(
      `DELETE FROM requests WHERE seq <= min(${first}, (SELECT max(seq) FROM requests) - ?)`,
    );
    this.#pruneOld = store.prepare(`DELETE FROM requests WHERE seq <= ${first} AND at < ?`);
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

  add(record: RequestRecord): void {
    this.#pending.push(record);
    if (this.#pending.length > maxPending) {
      const lost = this.#pending.splice(0, maxPending / 2).length;
      this.#writing = 0;
      this.#log.warn("request-log.fell-behind", { lost });
    }
    this.#batches.touch();
    // Records that wait for half a second of many calls outlive two collections, and are copied in each.
    if (this.#pending.length >= rowsPerTurn) this.#batches.hurry();
  }

  /** What has become known of a call that has ended. */
  prove(id: string, proof: AnswerProof): void {
    const at = this.#pending.findIndex((record) => record.id === id);
    if (at >= 0) this.#pending[at] = { ...this.#pending[at]!, proof };
    else if (this.#proofs.length < maxPending) this.#proofs.push({ id, proof });
    this.#batches.touch();
  }

  find(id: string): RequestRecord | undefined {
    this.#batches.flush();
    const row = this.#byId.get(id);
    return row ? recordOf(row) : this.#pending.find((record) => record.id === id); // while the disk fails
  }

  /** Those that ended before this one, the newest first; undefined: the newest of all. */
  list(limit: number, before: string | undefined): RequestRecord[] {
    this.#batches.flush();
    const seq = before === undefined ? Number.MAX_SAFE_INTEGER : Number(this.#byId.get(before)?.["seq"] ?? 0);
    return this.#before.all(seq, limit).flatMap((row) => recordOf(row) ?? []);
  }

  write(): boolean {
    const rows = this.#pending.slice(0, rowsPerTurn);
    for (const record of rows) this.#insert.run(...rowOf(record));
    this.#writing = rows.length;
    const proofs = this.#proofs.slice(0, rowsPerTurn);
    for (const { id, proof } of proofs) this.#addProof.run(proofText(proof), id);
    this.#proving = proofs.length;
    const isLeft = this.#pending.length > rows.length || this.#proofs.length > proofs.length;
    return isLeft || this.#pruneSome();
  }

  written(): void {
    this.#pending.splice(0, this.#writing);
    this.#writing = 0;
    this.#proofs.splice(0, this.#proving);
    this.#proving = 0;
  }

  /** Whether there may be more to prune. */
  #pruneSome(): boolean {
    const { keep, days } = this.#settings;
    const before = this.#clock.now() - days * dayMs;
    const isOld = Number(this.#oldest.get()?.["at"] ?? Infinity) < before;
    const old = isOld ? this.#pruneOld.run(before).changes : 0;
    return old === prunedPerTurn || this.#pruneMany.run(keep).changes === prunedPerTurn;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pruning);
  }
}
