/** The table of one node's orders: rows in and out, and nothing decided. */
import type { AcmeOrder, OrderStep } from "../../shared/acme/order.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import type { RenewalPlan } from "../../shared/registry/messages.ts";

export const orderTable = `
  CREATE TABLE orders (
    id TEXT PRIMARY KEY, serial INTEGER NOT NULL UNIQUE, digest TEXT NOT NULL, csr BLOB NOT NULL, hostnames TEXT NOT NULL,
    status TEXT NOT NULL, progress TEXT NOT NULL, attempt INTEGER NOT NULL, due_at INTEGER, certificate TEXT,
    not_before INTEGER, not_after INTEGER, detail TEXT
  );`;

export const orderColumns = `
  ALTER TABLE orders ADD COLUMN purpose TEXT NOT NULL DEFAULT 'serve';
  ALTER TABLE orders ADD COLUMN key_digest TEXT NOT NULL DEFAULT '';
  ALTER TABLE orders ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE orders ADD COLUMN stepped_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE orders ADD COLUMN words TEXT;
  ALTER TABLE orders ADD COLUMN remedy TEXT NOT NULL DEFAULT '';
  ALTER TABLE orders ADD COLUMN issuer TEXT;
  ALTER TABLE orders ADD COLUMN replaces TEXT;
  ALTER TABLE orders ADD COLUMN certificate_id TEXT;
  ALTER TABLE orders ADD COLUMN renewal TEXT;
  ALTER TABLE orders ADD COLUMN look_at INTEGER;`;

export const orderKeyColumn = `
  ALTER TABLE orders ADD COLUMN spki_digest TEXT;`;

/** `rehearsal`: a dry run of a renewal, whose certificate serves nobody. */
export type OrderPurpose = "serve" | "rehearsal";

export interface StoredOrder {
  readonly id: string;
  readonly purpose: OrderPurpose;
  readonly status: "processing" | "valid" | "invalid";
  /** DER. */
  readonly csr: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the request. */
  readonly digest: string;
  /** SHA-256 of the key and the names: the same for every request that asks for the same. */
  readonly keyDigest: string;
  /** SHA-256 of the key alone, its SubjectPublicKeyInfo; undefined for orders of before it was kept. */
  readonly spkiDigest: string | undefined;
  readonly hostnames: readonly string[];
  readonly replaces: AcmeOrder["replaces"];
  readonly createdAt: number;
  readonly progress: string;
  /** Failed tries of the step that is next. */
  readonly attempt: number;
  /** When something is to be done for it; undefined once nothing is. */
  readonly dueAt: number | undefined;
  /** When `dueAt` was decided. */
  readonly steppedAt: number;
  readonly words: string | undefined;
  readonly trouble: Trouble | undefined;
  /** PEM chain; never that of a rehearsal. */
  readonly certificate: string | undefined;
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
  /** The CA's directory, or `local`. */
  readonly issuer: string | undefined;
  /** RFC 9773 §4.1. */
  readonly certificateId: string | undefined;
  readonly renewal: RenewalPlan | undefined;
  /** When the CA is asked about its renewal again. */
  readonly lookAt: number | undefined;
}

/** What is to come of a certificate. */
export type Future = Pick<StoredOrder, "certificateId" | "renewal" | "lookAt">;

export type NewOrder = Pick<
  StoredOrder,
  "id" | "purpose" | "csr" | "digest" | "keyDigest" | "spkiDigest" | "hostnames" | "replaces"
>;

type Row = {
  id: string;
  purpose: OrderPurpose;
  status: StoredOrder["status"];
  csr: ArrayBuffer;
  digest: string;
  key_digest: string;
  spki_digest: string | null;
  hostnames: string;
  replaces: string | null;
  created_at: number;
  progress: string;
  attempt: number;
  due_at: number | null;
  stepped_at: number;
  words: string | null;
  detail: string | null;
  remedy: string;
  certificate: string | null;
  not_before: number | null;
  not_after: number | null;
  issuer: string | null;
  certificate_id: string | null;
  renewal: string | null;
  look_at: number | null;
};

export class OrderStore {
  readonly #sql: DurableObjectStorage["sql"];
  /** Every alarm and request asks for what is due, and seldom is anything. */
  #read: readonly StoredOrder[] | undefined;

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
  }

  /** Newest first. */
  all(): readonly StoredOrder[] {
    this.#read ??= this.#sql.exec<Row>("SELECT * FROM orders ORDER BY serial DESC").toArray().map(orderOfRow);
    return this.#read;
  }

  find(id: string): StoredOrder | undefined {
    return this.all().find((order) => order.id === id);
  }

  add({ id, purpose, digest, csr, keyDigest, spkiDigest, hostnames, replaces }: NewOrder, now: number): void {
    this.#write(
      `INSERT INTO orders (id, serial, purpose, digest, csr, key_digest, spki_digest, hostnames, replaces, status,
         progress, attempt, created_at, due_at, stepped_at)
       VALUES (?, (SELECT ifnull(max(serial), 0) + 1 FROM orders), ?, ?, ?, ?, ?, ?, ?, 'processing', '', 0, ?, ?, ?)`,
      id,
      purpose,
      digest,
      csr,
      keyDigest,
      spkiDigest ?? null,
      JSON.stringify(hostnames),
      replaces ? JSON.stringify(replaces) : null,
      now,
      now,
      now,
    );
  }

  /** Forgets all but the newest `kept` of a purpose, and those for which something is still to be done. */
  trim(purpose: OrderPurpose, kept: number): void {
    this.#write(
      `DELETE FROM orders WHERE purpose = ?1 AND due_at IS NULL
         AND id NOT IN (SELECT id FROM orders WHERE purpose = ?1 ORDER BY serial DESC LIMIT ?2)`,
      purpose,
      kept,
    );
  }

  /** The step is made; the next one is due when it says. Without effect on an order that has ended meanwhile. */
  moved(id: string, step: Extract<OrderStep, { status: "processing" }>, now: number): void {
    this.#write(
      `UPDATE orders SET progress = ?, attempt = 0, due_at = ?, stepped_at = ?, words = ?, detail = ?, remedy = ?
       WHERE id = ? AND status = 'processing'`,
      step.progress,
      now + step.retryAfterMs,
      now,
      step.words,
      step.trouble?.detail ?? null,
      step.trouble?.remedy ?? "",
      id,
    );
  }

  issued(id: string, step: Extract<OrderStep, { status: "valid" }>, future: Future): void {
    this.#write(
      `UPDATE orders SET status = 'valid', due_at = NULL, words = NULL, detail = NULL, remedy = '', not_before = ?,
         not_after = ?, issuer = ?, certificate_id = ?, renewal = ?, look_at = ?,
         certificate = CASE purpose WHEN 'serve' THEN ? END
       WHERE id = ? AND status = 'processing'`,
      step.notBefore,
      step.notAfter,
      step.directory ?? "local",
      future.certificateId ?? null,
      future.renewal ? JSON.stringify(future.renewal) : null,
      future.lookAt ?? null,
      step.certificate,
      id,
    );
  }

  /** `dueAt`: when what it has left behind is to be cleared away. */
  failed(id: string, { detail, remedy }: Trouble, dueAt: number | undefined, now: number): void {
    this.#write(
      `UPDATE orders SET status = 'invalid', attempt = 0, due_at = ?, stepped_at = ?, words = NULL, detail = ?, remedy = ?
       WHERE id = ? AND status = 'processing'`,
      dueAt ?? null,
      now,
      detail,
      remedy,
      id,
    );
  }

  /** The step has failed, and is made again at `dueAt`. */
  postponed(id: string, attempt: number, dueAt: number, now: number): void {
    this.#write(
      "UPDATE orders SET attempt = ?, due_at = ?, stepped_at = ? WHERE id = ? AND due_at IS NOT NULL",
      attempt,
      dueAt,
      now,
      id,
    );
  }

  /** Nothing is left to be done for an order that has ended. */
  cleared(id: string): void {
    this.#write("UPDATE orders SET due_at = NULL WHERE id = ? AND status <> 'processing'", id);
  }

  /** `lookAt`: when the CA is asked again. */
  planned(id: string, plan: RenewalPlan, lookAt: number | undefined): void {
    this.#write("UPDATE orders SET renewal = ?, look_at = ? WHERE id = ?", JSON.stringify(plan), lookAt ?? null, id);
  }

  #write(statement: string, ...values: (string | number | ArrayBuffer | Uint8Array | null)[]): void {
    this.#read = undefined;
    this.#sql.exec(statement, ...values);
  }
}

function orderOfRow(row: Row): StoredOrder {
  return {
    id: row.id,
    purpose: row.purpose,
    status: row.status,
    csr: new Uint8Array(row.csr),
    digest: row.digest,
    keyDigest: row.key_digest,
    spkiDigest: row.spki_digest ?? undefined,
    hostnames: JSON.parse(row.hostnames) as string[],
    replaces: row.replaces === null ? undefined : (JSON.parse(row.replaces) as AcmeOrder["replaces"]),
    createdAt: row.created_at,
    progress: row.progress,
    attempt: row.attempt,
    dueAt: row.due_at ?? undefined,
    steppedAt: row.stepped_at,
    words: row.words ?? undefined,
    trouble: row.detail === null ? undefined : { detail: row.detail, remedy: row.remedy },
    certificate: row.certificate ?? undefined,
    notBefore: row.not_before ?? undefined,
    notAfter: row.not_after ?? undefined,
    issuer: row.issuer ?? undefined,
    certificateId: row.certificate_id ?? undefined,
    renewal: row.renewal === null ? undefined : (JSON.parse(row.renewal) as RenewalPlan),
    lookAt: row.look_at ?? undefined,
  };
}
