/** What relays have found of one node's names, in the node's object. */
import { decideLost, decidePaths, staleMs, type Mark } from "./path-rules.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Observation, Path } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export const pathsTable = `
  CREATE TABLE paths (
    relay TEXT, hostname TEXT, reporter TEXT NOT NULL, state TEXT NOT NULL, detail TEXT, checked_at INTEGER NOT NULL,
    heard_at INTEGER NOT NULL, PRIMARY KEY (relay, hostname)
  ) WITHOUT ROWID;`;

/** A node has up to nine names, and tunnels to a few relays. */
const maxMarks = 100;

type Row = {
  relay: NodeId;
  hostname: string;
  reporter: NodeId;
  state: Path["state"];
  detail: string | null;
  checked_at: number;
  heard_at: number;
};

/** What a node's object answers to observations: how the node fares through each relay they are of. */
export interface Verdict {
  readonly relay: NodeId;
  /** Visitors do not get through it, while they do through another. */
  readonly isLost: boolean;
}

export interface PathMarksParts {
  readonly sql: DurableObjectStorage["sql"];
  readonly hostnames: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export class PathMarks {
  readonly #parts: PathMarksParts;

  constructor(parts: PathMarksParts) {
    this.#parts = parts;
  }

  /** Through relays that the node has held of late too. */
  get paths(): Path[] {
    const { hostnames, clock } = this.#parts;
    return decidePaths(this.#marks(), hostnames(), clock.now());
  }

  /** Observations of other names than this node's are left out. */
  observe(reporter: NodeId, observations: readonly Observation[]): Verdict[] {
    const { sql, clock } = this.#parts;
    const now = clock.now();
    sql.exec("DELETE FROM paths WHERE heard_at <= ?", now - staleMs);
    const held = new Set(this.#parts.hostnames());
    const ours = observations.filter(({ hostname }) => held.has(hostname));
    for (const observation of ours) this.#note(reporter, observation, now);
    sql.exec(
      `DELETE FROM paths WHERE (relay, hostname) NOT IN
         (SELECT relay, hostname FROM paths ORDER BY heard_at DESC, relay, hostname LIMIT ?)`,
      maxMarks,
    );
    const lost = decideLost(this.paths);
    const relays = new Set(ours.map(({ relay }) => relay));
    return [...relays].map((relay) => ({ relay, isLost: lost.some((path) => path.relay === relay) }));
  }

  #note(reporter: NodeId, observation: Observation, now: number): void {
    const { sql, log } = this.#parts;
    const { node, relay, hostname, state, detail } = observation;
    const checkedAt = Math.min(observation.checkedAt, now);
    const before = this.#mark(relay, hostname);
    if (before && !isBetter({ relay, reporter, checkedAt }, before)) return;
    sql.exec(
      "INSERT OR REPLACE INTO paths VALUES (?, ?, ?, ?, ?, ?, ?)",
      relay,
      hostname,
      reporter,
      state,
      detail ?? null,
      checkedAt,
      now,
    );
    if (state === before?.state || (state === "up" && !before)) return;
    log.info("path.marked", { node, hostname, relay, reporter, state, detail });
  }

  #mark(relay: NodeId, hostname: string): Mark | undefined {
    const select = "SELECT * FROM paths WHERE relay = ? AND hostname = ?";
    return this.#parts.sql.exec<Row>(select, relay, hostname).toArray().map(markOf)[0];
  }

  #marks(): Mark[] {
    return this.#parts.sql.exec<Row>("SELECT * FROM paths ORDER BY relay, hostname").toArray().map(markOf);
  }
}

function markOf({ checked_at: checkedAt, heard_at: heardAt, detail, ...row }: Row): Mark {
  return { ...row, ...(detail !== null && { detail }), checkedAt, heardAt };
}

/** Late ones are of no use; and who looked from outside is believed rather than the relay itself. */
function isBetter(one: Pick<Mark, "relay" | "reporter" | "checkedAt">, before: Mark): boolean {
  if (one.reporter === before.reporter) return one.checkedAt >= before.checkedAt;
  return one.reporter !== one.relay;
}
