/** The tables of a hub: who owns which alias, and the routes with the version of their last change. */
import { decideChanges, isNewer, type Publication } from "./publication.ts";
import type { Horizon } from "./cursor.ts";
import { migrate } from "../storage/tables.ts";
import { nonceTable } from "../storage/nonces.ts";
import { fail, succeed, type Result } from "../../shared/errors.ts";
import type { RouteChange } from "../../shared/registry/feed.ts";
import type { NodeRules, Route } from "../../shared/registry/messages.ts";
import { parseHostname } from "../../shared/registry/names.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Steps of {@link migrate}. */
export const hubShapes: readonly string[] = [
  `CREATE TABLE hub (generation TEXT NOT NULL, version INTEGER NOT NULL, forgotten INTEGER NOT NULL);
   INSERT INTO hub VALUES (lower(hex(randomblob(8))), 0, 0);
   CREATE TABLE names (alias TEXT PRIMARY KEY, owner TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE publishers (node TEXT PRIMARY KEY, epoch INTEGER NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE routes (
     name TEXT PRIMARY KEY, node TEXT NOT NULL, epoch INTEGER NOT NULL, version INTEGER NOT NULL, removed_at INTEGER
   ) WITHOUT ROWID;
   CREATE INDEX routes_by_version ON routes (version);
   CREATE INDEX routes_by_node ON routes (node);
   CREATE INDEX routes_removed ON routes (removed_at) WHERE removed_at IS NOT NULL;
   ${nonceTable}`,
  "ALTER TABLE routes ADD COLUMN rules TEXT",
  "ALTER TABLE routes ADD COLUMN relays TEXT",
  "ALTER TABLE routes ADD COLUMN key TEXT",
];

const routeColumns = "name, node, epoch, rules, relays, key";
type RouteRow = {
  name: string;
  node: NodeId;
  epoch: number;
  rules: string | null;
  relays: string | null;
  key: string | null;
};
type ChangeRow = RouteRow & { version: number; removed_at: number | null };

export interface VersionedChange {
  readonly version: number;
  readonly change: RouteChange;
}

export class RouteStore {
  readonly #sql: DurableObjectStorage["sql"];

  constructor(sql: DurableObjectStorage["sql"]) {
    this.#sql = sql;
    migrate(sql, hubShapes);
  }

  /** An alias belongs to whoever asked first, until released. Asking again is answered the same. */
  claim(alias: string, owner: NodeId, revision: number): Result<null> {
    const held = this.#ownerOf(alias);
    if (held !== undefined && held !== owner) return fail("name-taken", `"${alias}" belongs to another key.`);
    this.#sql.exec(
      "INSERT INTO names VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET revision = max(revision, excluded.revision)",
      alias,
      owner,
      revision,
    );
    return succeed(null);
  }

  /** Gives an alias back, unless it was claimed again since; its route `hostname` ends with it. */
  release(alias: string, hostname: string, owner: NodeId, revision: number, now: number): RouteChange[] {
    const released = this.#sql
      .exec("DELETE FROM names WHERE alias = ? AND owner = ? AND revision <= ? RETURNING alias", alias, owner, revision)
      .toArray();
    const route = this.lookup(hostname);
    if (released.length === 0 || route?.node !== owner) return [];
    return this.#store([{ name: hostname, node: null }], now);
  }

  /** Stores what a publication changes. Names of others are left out of it. */
  publish(publication: Publication, zone: string, now: number): RouteChange[] {
    const { node, epoch, revision } = publication;
    const held = this.#sql
      .exec<{ epoch: number; revision: number }>("SELECT epoch, revision FROM publishers WHERE node = ?", node)
      .toArray()[0];
    if (!isNewer(publication, held)) return [];
    this.#sql.exec("INSERT OR REPLACE INTO publishers VALUES (?, ?, ?)", node, epoch, revision);
    const names = publication.names.filter((name) => this.#mayPublish(name, node, zone));
    const routes = this.#sql
      .exec<RouteRow>(`SELECT ${routeColumns} FROM routes WHERE node = ? AND removed_at IS NULL`, node)
      .toArray()
      .map(routeOf);
    return this.#store(decideChanges({ ...publication, names }, routes), now);
  }

  lookup(name: string): Route | undefined {
    return this.#sql
      .exec<RouteRow>(`SELECT ${routeColumns} FROM routes WHERE name = ? AND removed_at IS NULL`, name)
      .toArray()
      .map(routeOf)[0];
  }

  horizon(): Horizon {
    return this.#sql.exec<{ generation: string; version: number; forgotten: number }>("SELECT * FROM hub").one();
  }

  /** All live routes, read one by one. */
  *live(): Generator<Route> {
    const rows = this.#sql.exec<RouteRow>(`SELECT ${routeColumns} FROM routes WHERE removed_at IS NULL`);
    for (const row of rows) yield routeOf(row);
  }

  /** What changed after `version`, oldest first. */
  *changesAfter(version: number): Generator<VersionedChange> {
    for (const row of this.#sql.exec<ChangeRow>("SELECT * FROM routes WHERE version > ? ORDER BY version", version))
      yield { version: row.version, change: row.removed_at === null ? routeOf(row) : { name: row.name, node: null } };
  }

  /** Forgets removals older than `before`; relays that have not heard of them need a snapshot from then on. */
  sweep(before: number): void {
    const { version } = this.#sql
      .exec<{ version: number | null }>("SELECT max(version) version FROM routes WHERE removed_at <= ?", before)
      .one();
    if (version === null) return;
    this.#sql.exec("DELETE FROM routes WHERE removed_at <= ?", before);
    this.#sql.exec("UPDATE hub SET forgotten = max(forgotten, ?)", version);
  }

  oldestRemoval(): number | undefined {
    return this.#sql.exec<{ at: number | null }>("SELECT min(removed_at) at FROM routes").one().at ?? undefined;
  }

  #store(changes: RouteChange[], now: number): RouteChange[] {
    for (const change of changes) {
      const { version } = this.#sql
        .exec<{ version: number }>("UPDATE hub SET version = version + 1 RETURNING version")
        .one();
      if (change.node === null)
        this.#sql.exec("UPDATE routes SET version = ?, removed_at = ? WHERE name = ?", version, now, change.name);
      else
        this.#sql.exec(
          "INSERT OR REPLACE INTO routes (name, node, epoch, version, rules, relays, key) VALUES (?, ?, ?, ?, ?, ?, ?)",
          change.name,
          change.node,
          change.epoch,
          version,
          change.rules ? JSON.stringify(change.rules) : null,
          change.relays ? JSON.stringify(change.relays) : null,
          change.key ?? null,
        );
    }
    return changes;
  }

  #ownerOf(alias: string): NodeId | undefined {
    return this.#sql.exec<{ owner: NodeId }>("SELECT owner FROM names WHERE alias = ?", alias).toArray()[0]?.owner;
  }

  #mayPublish(name: string, node: NodeId, zone: string): boolean {
    const parsed = parseHostname(name, zone);
    if (!parsed) return false;
    return (parsed.kind === "id" ? parsed.node : this.#ownerOf(parsed.alias)) === node;
  }
}

function routeOf({ name, node, epoch, rules, relays, key }: RouteRow): Route & { node: NodeId } {
  return {
    name,
    node,
    epoch,
    ...(rules !== null && { rules: JSON.parse(rules) as NodeRules }),
    ...(relays !== null && { relays: JSON.parse(relays) as NodeId[] }),
    ...(key !== null && { key }),
  };
}
