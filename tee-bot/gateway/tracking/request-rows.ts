/** The rows of the request log: many records in each, in the order of their ends, and proofs by the id of their call. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AnswerProof } from "../providers/provider.ts";
import { parseProof, proofText } from "./proof-text.ts";
import { parseRecords } from "./record-text.ts";
import type { RequestRecord } from "./track.ts";

/** A call that has ended, as it is written. */
export interface Line {
  readonly id: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly text: string;
}

/** A row as far as it matters for whether it is kept. */
export interface RowSummary {
  readonly seq: number;
  readonly newestAt: number;
  readonly count: number;
}

/** A proof is known about when its call ends; it goes with those records that are older by so much. */
const proofGraceMs = 60_000;

export class RequestRows {
  readonly #insert: StatementSync;
  readonly #around: StatementSync;
  readonly #newest: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;
  readonly #count: StatementSync;
  readonly #insertProof: StatementSync;
  readonly #proof: StatementSync;
  readonly #deleteProofs: StatementSync;

  constructor(store: DatabaseSync) {
    this.#insert = store.prepare(
      "INSERT INTO request_batches (lowest, highest, newest_at, count, records) VALUES (?, ?, ?, ?, ?)",
    );
    this.#around = store.prepare(
      "SELECT seq, records FROM request_batches WHERE highest >= ? AND lowest <= ? ORDER BY highest",
    );
    this.#newest = store.prepare("SELECT records FROM request_batches WHERE seq <= ? ORDER BY seq DESC");
    this.#oldest = store.prepare("SELECT seq, newest_at, count FROM request_batches ORDER BY seq");
    this.#delete = store.prepare("DELETE FROM request_batches WHERE seq <= ?");
    this.#count = store.prepare("SELECT coalesce(sum(count), 0) AS records FROM request_batches");
    this.#insertProof = store.prepare("INSERT OR REPLACE INTO request_proofs (id, proved_at, proof) VALUES (?, ?, ?)");
    this.#proof = store.prepare("SELECT proof FROM request_proofs WHERE id = ?");
    this.#deleteProofs = store.prepare("DELETE FROM request_proofs WHERE proved_at < ?");
  }

  /** Records there are, in all rows. */
  count(): number {
    return Number(this.#count.get()?.["records"]);
  }

  /** Adds one row. */
  insert(lines: readonly Line[]): void {
    const [first] = lines;
    if (!first) return;
    let { id: lowest, id: highest, at: newestAt } = first;
    for (const { id, at } of lines) {
      if (id < lowest) lowest = id;
      if (id > highest) highest = id;
      if (at > newestAt) newestAt = at;
    }
    this.#insert.run(lowest, highest, newestAt, lines.length, `[${lines.map(({ text }) => text).join(",")}]`);
  }

  insertProof(id: string, proof: AnswerProof, now: number): void {
    this.#insertProof.run(id, now, proofText(proof));
  }

  /** The row that has a record, which is among those whose ids are on both sides of its own. */
  find(id: string): { seq: number; record: RequestRecord } | undefined {
    for (const { seq, records } of this.#around.iterate(id, id)) {
      const record = parseRecords(String(records)).find((one) => one.id === id);
      if (record) return { seq: Number(seq), record };
    }
    return undefined;
  }

  findProof(id: string): AnswerProof | undefined {
    const text = this.#proof.get(id)?.["proof"];
    return typeof text === "string" ? parseProof(text) : undefined;
  }

  /** All records from this row on to the oldest one. */
  *newestFirst(seq = Number.MAX_SAFE_INTEGER): Iterable<RequestRecord> {
    for (const { records } of this.#newest.iterate(seq)) yield* parseRecords(String(records)).toReversed();
  }

  *oldestFirst(): Iterable<RowSummary> {
    for (const { seq, newest_at, count } of this.#oldest.iterate())
      yield { seq: Number(seq), newestAt: Number(newest_at), count: Number(count) };
  }

  /** Removes this row, all before it, and their proofs. */
  prune({ seq, newestAt }: RowSummary): void {
    this.#delete.run(seq);
    this.#deleteProofs.run(newestAt - proofGraceMs);
  }
}
