/** The certificate orders of one node: kept in its object's tables, moved by its alarm. */
import { readCsr } from "./csr.ts";
import type { Issuer } from "./issuer.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Order } from "../../shared/registry/messages.ts";

export const orderTable = `
  CREATE TABLE orders (
    id TEXT PRIMARY KEY, serial INTEGER NOT NULL UNIQUE, digest TEXT NOT NULL, csr BLOB NOT NULL, hostnames TEXT NOT NULL,
    status TEXT NOT NULL, progress TEXT NOT NULL, attempt INTEGER NOT NULL, due_at INTEGER, certificate TEXT,
    not_before INTEGER, not_after INTEGER, detail TEXT
  );`;

/** The newest orders are kept, whatever became of them. */
export const maxOrdersKept = 6;
/** Orders that an issuer is busy with at the same time. */
export const maxOrdersProcessing = 3;
const stepBackoff = { baseMs: 2_000, maxMs: 10 * 60_000 };

type Row = {
  id: string;
  csr: ArrayBuffer;
  hostnames: string;
  status: Order["status"];
  progress: string;
  attempt: number;
  due_at: number | null;
  certificate: string | null;
  not_before: number | null;
  not_after: number | null;
  detail: string | null;
};

export interface OrdersParts {
  readonly sql: DurableObjectStorage["sql"];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Throws `issuer-unavailable` when there is none. */
  readonly issuer: () => Issuer;
}

export class Orders {
  readonly #parts: OrdersParts;
  readonly #running = new Set<string>();

  constructor(parts: OrdersParts) {
    this.#parts = parts;
  }

  /**
   * The order for this request: a new one, or the one that the same request has already made as long as its
   * certificate is in the first half of its life. Throws {@link AppError}.
   */
  async create(csrPem: string, owned: readonly string[]): Promise<Order> {
    const { sql, clock, issuer } = this.#parts;
    issuer();
    const { der, hostnames } = await readCsr(csrPem, owned);
    const digest = await sha256Hex(der);
    const held = sql.exec<Row>("SELECT * FROM orders WHERE digest = ? ORDER BY serial DESC", digest).toArray()[0];
    if (held && isCurrent(held, clock.now())) return orderOf(held, clock.now());
    const { processing } = sql
      .exec<{ processing: number }>("SELECT count(*) processing FROM orders WHERE status = 'processing'")
      .one();
    if (processing >= maxOrdersProcessing)
      throw new AppError(
        "too-many-requests",
        `At most ${maxOrdersProcessing} orders of a node are processed at a time.`,
      );

    const id = crypto.randomUUID();
    sql.exec(
      `INSERT INTO orders (id, serial, digest, csr, hostnames, status, progress, attempt, due_at)
       VALUES (?, (SELECT ifnull(max(serial), 0) + 1 FROM orders), ?, ?, ?, 'processing', '', 0, ?)`,
      id,
      digest,
      der,
      JSON.stringify(hostnames),
      clock.now(),
    );
    sql.exec(
      "DELETE FROM orders WHERE status <> 'processing' AND id NOT IN (SELECT id FROM orders ORDER BY serial DESC LIMIT ?)",
      maxOrdersKept,
    );
    await this.#step(this.#row(id));
    return this.read(id);
  }

  /** Throws `not-found`. */
  read(id: string): Order {
    return orderOf(this.#row(id), this.#parts.clock.now());
  }

  /** Moves every order that is due one step. */
  async stepDue(): Promise<void> {
    const { sql, clock } = this.#parts;
    const due = sql
      .exec<Row>("SELECT * FROM orders WHERE status = 'processing' AND due_at <= ?", clock.now())
      .toArray();
    await Promise.all(due.map((row) => this.#step(row)));
  }

  nextDue(): number | undefined {
    const { at } = this.#parts.sql
      .exec<{ at: number | null }>("SELECT min(due_at) at FROM orders WHERE status = 'processing'")
      .one();
    return at ?? undefined;
  }

  async #step(row: Row): Promise<void> {
    if (this.#running.has(row.id)) return; // a request and the alarm may want the same step
    this.#running.add(row.id);
    const { sql, clock, random, log, issuer } = this.#parts;
    try {
      const step = await issuer().step({
        id: row.id,
        csr: new Uint8Array(row.csr),
        hostnames: JSON.parse(row.hostnames) as string[],
        progress: row.progress,
      });
      if (step.status === "processing")
        sql.exec(
          "UPDATE orders SET progress = ?, attempt = 0, due_at = ? WHERE id = ?",
          step.progress,
          clock.now() + step.retryAfterMs,
          row.id,
        );
      else if (step.status === "valid")
        sql.exec(
          "UPDATE orders SET status = 'valid', due_at = NULL, certificate = ?, not_before = ?, not_after = ? WHERE id = ?",
          step.certificate,
          step.notBefore,
          step.notAfter,
          row.id,
        );
      else
        sql.exec("UPDATE orders SET status = 'invalid', due_at = NULL, detail = ? WHERE id = ?", step.detail, row.id);
      if (step.status !== "processing") log.info("order.finished", { order: row.id, status: step.status });
    } catch (error) {
      const waitMs = decideBackoffMs(row.attempt, { ...stepBackoff, random });
      sql.exec("UPDATE orders SET attempt = ?, due_at = ? WHERE id = ?", row.attempt + 1, clock.now() + waitMs, row.id);
      log.warn("order.postponed", { order: row.id, attempt: row.attempt, waitMs, error: errorText(error) });
    } finally {
      this.#running.delete(row.id);
    }
  }

  #row(id: string): Row {
    const row = this.#parts.sql.exec<Row>("SELECT * FROM orders WHERE id = ?", id).toArray()[0];
    if (!row) throw new AppError("not-found", "This node has no such order, or it is an old one.");
    return row;
  }
}

function isCurrent({ status, not_before, not_after }: Row, now: number): boolean {
  if (status !== "valid") return status === "processing";
  return not_before !== null && not_after !== null && now < (not_before + not_after) / 2;
}

function orderOf(row: Row, now: number): Order {
  return {
    id: row.id,
    status: row.status,
    hostnames: JSON.parse(row.hostnames) as string[],
    ...(row.certificate !== null && { certificate: row.certificate }),
    ...(row.not_after !== null && { notAfter: row.not_after }),
    ...(row.detail !== null && { detail: row.detail }),
    ...(row.status === "processing" && { retryAfterMs: Math.max(0, (row.due_at ?? now) - now) }),
  };
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
