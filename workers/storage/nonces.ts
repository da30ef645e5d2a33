import { fail, succeed, type Result } from "../../shared/errors.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** In about five minutes from one signer; far more than any needs, and a bound for storage. */
export const maxNoncesPerSigner = 5_000;

export interface SeenNonce {
  readonly signer: NodeId;
  readonly nonce: string;
  /** Until when a replay could pass for fresh (ms since the Unix epoch). */
  readonly expiresAt: number;
}

export const nonceTable =
  "CREATE TABLE nonces (signer TEXT, nonce TEXT, expires_at INTEGER NOT NULL, PRIMARY KEY (signer, nonce)) WITHOUT ROWID;" +
  "CREATE INDEX nonces_by_expiry ON nonces (expires_at);";

/** The nonces of signed requests, for as long as a copy of the request could be mistaken for a new one. */
export class Nonces {
  readonly #sql: DurableObjectStorage["sql"];

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
  }

  /** Fails with `nonce-replayed` when it was seen before. */
  remember({ signer, nonce, expiresAt }: SeenNonce, now: number): Result<null> {
    this.forget(now);
    const { count } = this.#sql
      .exec<{ count: number }>("SELECT count(*) count FROM nonces WHERE signer = ?", signer)
      .one();
    if (count >= maxNoncesPerSigner) return fail("too-many-requests", "Too many signed requests in five minutes.");
    const added = this.#sql
      .exec("INSERT INTO nonces VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING nonce", signer, nonce, expiresAt)
      .toArray();
    return added.length > 0 ? succeed(null) : fail("nonce-replayed", "Each signature is good for one request.");
  }

  forget(now: number): void {
    this.#sql.exec("DELETE FROM nonces WHERE expires_at <= ?", now);
  }

  /** When all of them may be forgotten; undefined when there are none. */
  lastExpiry(): number | undefined {
    return this.#sql.exec<{ at: number | null }>("SELECT max(expires_at) at FROM nonces").one().at ?? undefined;
  }
}
