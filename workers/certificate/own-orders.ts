/**
 * What the edge does for a node that orders with an ACME account of its own: it writes TXT records, for names of that
 * node only, and keeps the budget that all nodes share. It never sees the account's key.
 */
import type { Admission, Admissions, ChallengeRecord, Presented } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export const ownOrderTable = `
  CREATE TABLE own_orders (id TEXT PRIMARY KEY, hostnames TEXT NOT NULL, expires_at INTEGER NOT NULL);`;

export const ownCertificateTable = `
  CREATE TABLE own_certificates (what TEXT PRIMARY KEY, issued_at INTEGER NOT NULL);`;

/** Of these names and directories a renewal is known as such. */
const maxCertificatesKept = 16;
/** Orders of a node under way at the same time; one that is never ended counts for a week. */
export const maxOwnOrders = 8;
const orderLifetimeMs = 7 * 86_400_000;

type Row = { id: string; hostnames: string; expires_at: number };

export interface OwnOrdersParts {
  readonly sql: DurableObjectStorage["sql"];
  readonly node: () => NodeId;
  /** Names of the node while it is up; throws when it is not. */
  readonly hostnames: () => readonly string[];
  readonly present: (order: string, records: readonly ChallengeRecord[]) => Promise<Presented>;
  /** Notes that the records of an order are to go. */
  readonly withdraw: (order: string) => void;
  /** Undefined for a directory that is not among the settings. */
  readonly admissions: (directory: string) => Admissions | undefined;
  readonly clock: Clock;
}

export interface OwnAdmission {
  readonly order: string;
  readonly directory: string;
  readonly hostnames: readonly string[];
  readonly exempt: boolean;
  readonly queue: boolean;
}

/** Each method throws {@link AppError}. `order` is the node's own name for it. */
export class OwnOrders {
  readonly #parts: OwnOrdersParts;

  constructor(parts: OwnOrdersParts) {
    this.#parts = parts;
  }

  present(order: string, records: readonly ChallengeRecord[]): Promise<Presented> {
    const hostnames = records.map(({ hostname }) => hostname);
    this.#checkNames(hostnames);
    this.#note(order, hostnames);
    return this.#parts.present(challengeOrder(order), records);
  }

  withdraw(order: string): void {
    this.#parts.withdraw(challengeOrder(order));
  }

  admit({ order, directory, hostnames, exempt, queue }: OwnAdmission): Promise<Admission> {
    const admissions = this.#admissions(directory);
    this.#checkNames(hostnames);
    this.#note(order, hostnames);
    const node = this.#parts.node();
    // The budget is everybody's: nobody is exempt on his word alone.
    const isRenewal = exempt && this.#hasIssued(directory, hostnames);
    return admissions.admit({ order: `${node}:${order}`, node, hostnames, exempt: isRenewal }, { queue });
  }

  async settle(order: string, directory: string, outcome: "issued" | "failed"): Promise<void> {
    await this.#admissions(directory).settle(`${this.#parts.node()}:${order}`, outcome);
    const { sql } = this.#parts;
    const [ended] = sql.exec<Row>("DELETE FROM own_orders WHERE id = ? RETURNING *", order).toArray();
    if (ended && outcome === "issued") this.#noteIssue(directory, JSON.parse(ended.hostnames) as string[]);
  }

  /** A name is not the node's any more, or none is: what stands there for its orders is to go. */
  drop(hostname?: string): void {
    for (const { id, hostnames } of this.#parts.sql.exec<Row>("SELECT * FROM own_orders").toArray())
      if (hostname === undefined || (JSON.parse(hostnames) as string[]).includes(hostname)) this.withdraw(id);
  }

  #admissions(directory: string): Admissions {
    const admissions = this.#parts.admissions(directory);
    if (!admissions)
      throw new AppError(
        "forbidden",
        "The edge keeps no budget for this directory; GET /v1/issuer lists those it does.",
      );
    return admissions;
  }

  #hasIssued(directory: string, hostnames: readonly string[]): boolean {
    const what = certificateKey(directory, hostnames);
    return this.#parts.sql.exec("SELECT 1 FROM own_certificates WHERE what = ?", what).toArray().length > 0;
  }

  #noteIssue(directory: string, hostnames: readonly string[]): void {
    const { sql, clock } = this.#parts;
    const what = certificateKey(directory, hostnames);
    sql.exec("INSERT OR REPLACE INTO own_certificates VALUES (?, ?)", what, clock.now());
    sql.exec(
      "DELETE FROM own_certificates WHERE what NOT IN (SELECT what FROM own_certificates ORDER BY issued_at DESC LIMIT ?)",
      maxCertificatesKept,
    );
  }

  #checkNames(hostnames: readonly string[]): void {
    const held = new Set(this.#parts.hostnames());
    const foreign = hostnames.find((hostname) => !held.has(hostname));
    if (foreign !== undefined)
      throw new AppError("forbidden", `${JSON.stringify(foreign.slice(0, 80))} is not a name of this node.`);
  }

  #note(order: string, hostnames: readonly string[]): void {
    const { sql, clock } = this.#parts;
    const now = clock.now();
    sql.exec("DELETE FROM own_orders WHERE expires_at <= ?", now);
    const { others } = sql
      .exec<{ others: number }>("SELECT count(*) others FROM own_orders WHERE id <> ?", order)
      .one();
    if (others >= maxOwnOrders)
      throw new AppError("too-many-requests", `At most ${maxOwnOrders} orders of a node are under way at a time.`);
    const known = sql.exec<Row>("SELECT * FROM own_orders WHERE id = ?", order).toArray()[0];
    const all = new Set([...(known ? (JSON.parse(known.hostnames) as string[]) : []), ...hostnames]);
    sql.exec(
      "INSERT OR REPLACE INTO own_orders VALUES (?, ?, ?)",
      order,
      JSON.stringify([...all]),
      now + orderLifetimeMs,
    );
  }
}

/** The zone's object keeps challenges by node and order: the node's own must not pass for those of the edge. */
function challengeOrder(order: string): string {
  return `own:${order}`;
}

function certificateKey(directory: string, hostnames: readonly string[]): string {
  return `${directory} ${hostnames.toSorted().join()}`;
}
