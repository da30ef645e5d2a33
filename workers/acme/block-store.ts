import { decideHeldUp, type Block, type Scope } from "./patience.ts";
import type { CaFailure } from "../../shared/acme/ca.ts";

export const blockTable =
  "CREATE TABLE blocks (scope TEXT PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL, failure TEXT NOT NULL);";

type Row = { scope: Scope; since: number; until: number; failure: string };

/** What the CA does not want to be asked now. */
export class BlockStore {
  readonly #sql: DurableObjectStorage["sql"];

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
  }

  /** The longest wait among these scopes; undefined when there is none. */
  heldUp(scopes: readonly Scope[], now: number): CaFailure | undefined {
    const holding = this.#all().flatMap((block) =>
      scopes.includes(block.scope) ? (decideHeldUp(block, now) ?? []) : [],
    );
    return holding.toSorted((one, other) => (other.retryAfterMs ?? 0) - (one.retryAfterMs ?? 0))[0];
  }

  /** Whether it lasts longer than what was there. */
  add(block: Block): boolean {
    const { scope, since, until, failure } = block;
    for (const held of this.#all())
      if (!decideHeldUp(held, since)) this.#sql.exec("DELETE FROM blocks WHERE scope = ?", held.scope);
    const added = this.#sql.exec(
      `INSERT INTO blocks VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET since = excluded.since, until = excluded.until, failure = excluded.failure WHERE excluded.until > until
       RETURNING scope`,
      scope,
      since,
      until,
      JSON.stringify(failure),
    );
    return added.toArray().length > 0;
  }

  #all(): Block[] {
    return this.#sql
      .exec<Row>("SELECT * FROM blocks")
      .toArray()
      .map(({ scope, since, until, failure }) => ({ scope, since, until, failure: JSON.parse(failure) as CaFailure }));
  }
}
