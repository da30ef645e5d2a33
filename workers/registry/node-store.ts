/** The tables of a node's object that say who it is and which aliases it holds. */
import type { NodeRecord, NodeState } from "./lease.ts";
import type { NodeRules } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export const nodeTables = `
  CREATE TABLE node (
    only INTEGER PRIMARY KEY CHECK (only = 1), node TEXT NOT NULL, epoch INTEGER NOT NULL, revision INTEGER NOT NULL,
    state TEXT NOT NULL, expires_at INTEGER NOT NULL, latitude REAL, longitude REAL
  );
  CREATE TABLE aliases (alias TEXT PRIMARY KEY, confirmed INTEGER NOT NULL, claimed_at INTEGER NOT NULL);`;

export const rulesTable = `
  CREATE TABLE rules (only INTEGER PRIMARY KEY CHECK (only = 1), rules TEXT NOT NULL);`;

export const relaysTable = `
  CREATE TABLE relays (only INTEGER PRIMARY KEY CHECK (only = 1), relays TEXT NOT NULL);`;

/** `told`: the node's own word; `published`: what hubs are told. */
export const servedKeyTable = `
  CREATE TABLE served_key (only INTEGER PRIMARY KEY CHECK (only = 1), told TEXT, published TEXT);`;

type ServedKeys = { told: string | null; published: string | null };

type NodeRow = {
  node: NodeId;
  epoch: number;
  revision: number;
  state: NodeState;
  expires_at: number;
  latitude: number | null;
  longitude: number | null;
};

export class NodeStore {
  readonly #sql: DurableObjectStorage["sql"];

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
  }

  read(): NodeRecord | undefined {
    const row = this.#sql.exec<NodeRow>("SELECT * FROM node").toArray()[0];
    if (!row) return undefined;
    const { node, epoch, revision, state, expires_at, latitude, longitude } = row;
    const place = latitude === null || longitude === null ? undefined : { latitude, longitude };
    return { node, epoch, revision, state, expiresAt: expires_at, place };
  }

  write({ node, epoch, revision, state, expiresAt, place }: NodeRecord): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO node VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
      node,
      epoch,
      revision,
      state,
      expiresAt,
      place?.latitude ?? null,
      place?.longitude ?? null,
    );
  }

  /** What relays do for the node; undefined until it has said. */
  rules(): NodeRules | undefined {
    const row = this.#sql.exec<{ rules: string }>("SELECT rules FROM rules").toArray()[0];
    return row && (JSON.parse(row.rules) as NodeRules);
  }

  writeRules(rules: NodeRules): void {
    this.#sql.exec("INSERT OR REPLACE INTO rules VALUES (1, ?)", JSON.stringify(rules));
  }

  /** Those named to the node last; undefined before the first time. */
  relays(): NodeId[] | undefined {
    const row = this.#sql.exec<{ relays: string }>("SELECT relays FROM relays").toArray()[0];
    return row && (JSON.parse(row.relays) as NodeId[]);
  }

  writeRelays(relays: readonly NodeId[]): void {
    this.#sql.exec("INSERT OR REPLACE INTO relays VALUES (1, ?)", JSON.stringify(relays));
  }

  servedKeys(): ServedKeys {
    const [row] = this.#sql.exec<ServedKeys>("SELECT told, published FROM served_key").toArray();
    return row ?? { told: null, published: null };
  }

  writeServedKeys({ told, published }: ServedKeys): void {
    this.#sql.exec("INSERT OR REPLACE INTO served_key VALUES (1, ?, ?)", told, published);
  }

  /** Those the hub has confirmed, oldest first. */
  aliases(): string[] {
    return this.#sql
      .exec<{ alias: string }>("SELECT alias FROM aliases WHERE confirmed ORDER BY claimed_at, alias")
      .toArray()
      .map(({ alias }) => alias);
  }

  /** Confirmed or not yet. */
  notedAliases(): string[] {
    return this.#sql
      .exec<{ alias: string }>("SELECT alias FROM aliases")
      .toArray()
      .map(({ alias }) => alias);
  }

  /** Confirmed or not yet, apart from `alias` itself. */
  countOtherAliases(alias: string): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) count FROM aliases WHERE alias <> ?", alias).one().count;
  }

  /** Noted before the hub is asked, so that a claim cut short still counts and can be given back. */
  noteAlias(alias: string, now: number): void {
    this.#sql.exec("INSERT INTO aliases VALUES (?, 0, ?) ON CONFLICT DO NOTHING", alias, now);
  }

  /** Whether it was not confirmed before. */
  confirmAlias(alias: string): boolean {
    const changed = this.#sql.exec(
      "UPDATE aliases SET confirmed = 1 WHERE alias = ? AND NOT confirmed RETURNING alias",
      alias,
    );
    return changed.toArray().length > 0;
  }

  /** Whether there was one. */
  dropAlias(alias: string): boolean {
    return this.#sql.exec("DELETE FROM aliases WHERE alias = ? RETURNING alias", alias).toArray().length > 0;
  }
}
