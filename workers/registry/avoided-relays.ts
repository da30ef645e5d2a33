/**
 * Relays that this node does not get through to, though they may be well for others: it is not sent to one for a while.
 * Whoever stays unreachable is tried ever less often.
 */
import type { NodeId } from "../../shared/registry/node-id.ts";

export const avoidedRelaysTable = `
  CREATE TABLE avoided_relays (relay TEXT PRIMARY KEY, until INTEGER NOT NULL, times INTEGER NOT NULL);`;

/** A relay that was restarted meanwhile has its nodes back soon. */
const firstAvoidMs = 60_000;
const maxAvoidMs = 30 * 60_000;
/** So long after it was last avoided a relay is as good as any. */
const forgetMs = 60 * 60_000;

type Row = { relay: NodeId; until: number; times: number };

export class AvoidedRelays {
  readonly #sql: DurableObjectStorage["sql"];

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
  }

  /** Those that are avoided now, and since when. */
  at(now: number): { relay: NodeId; since: number }[] {
    return this.#rows()
      .filter(({ until }) => until > now)
      .map(({ relay, until, times }) => ({ relay, since: until - decideAvoidMs(times) }));
  }

  /** These do not get visitors through to the node. */
  add(relays: readonly NodeId[], now: number): void {
    if (relays.length === 0) return;
    this.#sql.exec("DELETE FROM avoided_relays WHERE until < ?", now - forgetMs);
    const rows = this.#rows();
    for (const relay of relays) {
      const held = rows.find((row) => row.relay === relay);
      if (held && held.until > now) continue;
      const times = (held?.times ?? 0) + 1;
      this.#sql.exec(
        "INSERT OR REPLACE INTO avoided_relays VALUES (?, ?, ?)",
        relay,
        now + decideAvoidMs(times),
        times,
      );
    }
  }

  #rows(): Row[] {
    return this.#sql.exec<Row>("SELECT * FROM avoided_relays").toArray();
  }
}

/** For how long a relay is avoided that was found unreachable for the `times`th time in a row. */
export function decideAvoidMs(times: number): number {
  return Math.min(maxAvoidMs, firstAvoidMs * 2 ** Math.min(times - 1, 30));
}
