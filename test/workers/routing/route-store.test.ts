import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { zone } from "../support/constants.ts";
import { freshIdentity } from "../support/identities.ts";
import { maxRoutesPerMessage } from "../../../shared/registry/feed.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { catchUp } from "../../../workers/routing/feed.ts";
import { hubShapes, RouteStore } from "../../../workers/routing/route-store.ts";
import { migrate } from "../../../workers/storage/tables.ts";

const { id: node } = await freshIdentity();
const { id: other } = await freshIdentity();
const own = idHostname(node, zone);

/** A store of its own for each test, in an object that no relay listens to. */
function inStore<T>(use: (store: RouteStore, sql: SqlStorage) => T): Promise<T> {
  const stub = env.HUBS.get(env.HUBS.newUniqueId());
  return runInDurableObject(stub, (_, { storage }) => use(new RouteStore(storage.sql), storage.sql));
}

test("a publication that comes late does not undo a newer one", () =>
  inStore((store) => {
    store.publish({ node, epoch: 2, revision: 4, names: [own] }, zone, 0);
    store.publish({ node, epoch: 2, revision: 3, names: [] }, zone, 0);
    store.publish({ node, epoch: 1, revision: 9, names: [] }, zone, 0);
    expect(store.lookup(own)).toEqual({ name: own, node, epoch: 2 });
  }));

test("a node's publication cannot name what is not its own", () =>
  inStore((store) => {
    store.claim("theirs", other, 1);
    store.claim("mine", node, 1);
    const names = [
      own,
      idHostname(other, zone),
      `theirs.${zone}`,
      `mine.${zone}`,
      `free.${zone}`,
      "mine.example.com",
      zone,
    ];
    store.publish({ node, epoch: 1, revision: 1, names }, zone, 0);
    expect([...store.live()].map(({ name }) => name).toSorted()).toEqual([own, `mine.${zone}`].toSorted());
  }));

test("a release of a name that leads to another node by now changes nothing", () =>
  inStore((store) => {
    store.claim("name", node, 1);
    store.publish({ node, epoch: 1, revision: 2, names: [`name.${zone}`] }, zone, 0);
    expect(store.release("name", `name.${zone}`, other, 9, 0)).toEqual([]);
    expect(store.release("name", `name.${zone}`, node, 3, 0)).toEqual([{ name: `name.${zone}`, node: null }]);
    expect(store.release("name", `name.${zone}`, node, 3, 0)).toEqual([]);
  }));

test("removals are told until they are swept, then a snapshot is due", () =>
  inStore((store) => {
    const cursorNow = () => `${store.horizon().generation}.${store.horizon().version}`;
    store.publish({ node, epoch: 1, revision: 1, names: [own] }, zone, 0);
    const since = cursorNow();
    store.publish({ node, epoch: 1, revision: 2, names: [] }, zone, 1_000);
    expect([...catchUp(store, since)]).toMatchObject([{ type: "delta", changes: [{ name: own, node: null }] }]);
    store.sweep(999);
    expect([...catchUp(store, since)]).toMatchObject([{ type: "delta" }]);
    store.sweep(1_000);
    expect([...catchUp(store, since)]).toMatchObject([{ type: "snapshot", routes: [] }]);
    expect([...catchUp(store, cursorNow())]).toMatchObject([{ type: "delta", changes: [] }]);
    expect(store.oldestRemoval()).toBeUndefined();
  }));

test("snapshots and deltas come in parts of bounded size", () =>
  inStore((store, sql) => {
    const count = 2 * maxRoutesPerMessage + 1;
    const since = `${store.horizon().generation}.0`;
    sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO routes (name, node, epoch, version) SELECT 'n' || i || '.${zone}', ?, 1, i FROM n`,
      count,
      node,
    );
    sql.exec("UPDATE hub SET version = ?", count);
    const snapshot = [...catchUp(store, undefined)];
    expect(snapshot.map((part) => part.type === "snapshot" && [part.routes.length, part.first, part.last])).toEqual([
      [maxRoutesPerMessage, true, false],
      [maxRoutesPerMessage, false, false],
      [1, false, true],
    ]);
    const deltas = [...catchUp(store, since)];
    expect(deltas.map((part) => [part.type === "delta" && part.changes.length, part.cursor.split(".")[1]])).toEqual([
      [maxRoutesPerMessage, String(maxRoutesPerMessage)],
      [maxRoutesPerMessage, String(2 * maxRoutesPerMessage)],
      [1, String(count)],
    ]);
  }));

test("a publication with other relays changes the routes, and one with the same does not", () =>
  inStore((store) => {
    const publish = (revision: number, relays: (typeof node)[] | undefined) =>
      store.publish({ node, epoch: 1, revision, names: [own], relays }, zone, 0);
    publish(1, undefined);
    expect(store.lookup(own)).toEqual({ name: own, node, epoch: 1 });
    expect(publish(2, [other])).toEqual([{ name: own, node, epoch: 1, relays: [other] }]);
    expect(publish(3, [other])).toEqual([]);
    expect([...store.live()]).toEqual([{ name: own, node, epoch: 1, relays: [other] }]);
  }));

test("routes of an older shape are kept", () =>
  runInDurableObject(env.HUBS.get(env.HUBS.newUniqueId()), (_, { storage: { sql } }) => {
    for (const { name } of sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray())
      if (!name.startsWith("_")) sql.exec(`DROP TABLE ${name}`);
    migrate(sql, hubShapes.slice(0, 1));
    sql.exec("INSERT INTO routes VALUES (?, ?, 3, 1, NULL)", own, node);
    expect(new RouteStore(sql).lookup(own)).toEqual({ name: own, node, epoch: 3 });
  }));

test("the generation lasts as long as the storage", async () => {
  const stub = env.HUBS.get(env.HUBS.newUniqueId());
  const generation = () =>
    runInDurableObject(stub, (_, { storage }) => new RouteStore(storage.sql).horizon().generation);
  const first = await generation();
  expect(first).toMatch(/^[0-9a-f]{16}$/);
  expect(await generation()).toBe(first);
  expect(await inStore((store) => store.horizon().generation)).not.toBe(first);
});

test("parts are smaller where routes have many rules", () =>
  inStore((store, sql) => {
    const since = `${store.horizon().generation}.0`;
    const allow = Array.from({ length: 100 }, (_, at) => `2001:db8:ffff:ffff:ffff:ffff:ffff:${at}/128`);
    sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
       INSERT INTO routes (name, node, epoch, version, rules) SELECT 'n' || i || '.${zone}', ?, 1, i, ? FROM n`,
      node,
      JSON.stringify({ allow, deny: [] }),
    );
    sql.exec("UPDATE hub SET version = 200");
    for (const from of [undefined, since]) {
      const parts = [...catchUp(store, from)];
      expect(Math.max(...parts.map((part) => JSON.stringify(part).length))).toBeLessThan(512 * 1024);
      const told = parts.flatMap((part) => (part.type === "delta" ? part.changes : part.routes));
      expect(told).toHaveLength(200);
      expect(told[0]).toMatchObject({ rules: { allow } });
    }
  }));
