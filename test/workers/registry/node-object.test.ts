import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { clock, faults, letPass } from "../support/controls.ts";
import { zone } from "../support/constants.ts";
import { anything, clientOf, testNode, type TestNode } from "../support/edge.ts";
import { openFeed, type TestFeed } from "../support/feed.ts";
import { testIdentity } from "../support/identities.ts";
import { inPlace, restoreSurroundings } from "../support/surroundings.ts";
import { AppError } from "../../../shared/errors.ts";
import { nodeViewSchema, routeSchema, type AccountBinding, type Route } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { maxAgeMs, maxSkewMs } from "../../../shared/signature/signed-request.ts";
import { lateGraceMs } from "../../../workers/registry/lease.ts";
import { maxAliasesPerNode } from "../../../workers/registry/registrations.ts";

const leaseMs = 90_000;
const relay = await testIdentity("relay one");
const relayClient = clientOf(relay, "postern-relay");
let feed: TestFeed;

beforeAll(async () => {
  feed = await openFeed(relay);
});
afterEach(() => {
  faults.hubDown = false;
  restoreSurroundings();
});

const stubOf = (node: TestNode) => env.NODES.get(env.NODES.idFromName(node.id));

async function routeOf(name: string): Promise<Route | undefined> {
  try {
    return await relayClient.request("GET", `/v1/routes/${name}`, routeSchema);
  } catch (error) {
    if (error instanceof AppError && error.code === "not-found") return undefined;
    throw error;
  }
}

async function registered(alias?: string): Promise<TestNode & { own: string }> {
  const node = await testNode();
  await node.register();
  if (alias !== undefined) await node.claim(alias);
  return { ...node, own: idHostname(node.id, zone) };
}

const release = (node: TestNode, epoch: number) =>
  node.client.request("DELETE", `/v1/nodes/${node.id}/registration?epoch=${epoch}`, anything);
const unclaim = (node: TestNode, alias: string) => node.client.request("DELETE", `/v1/aliases/${alias}`, anything);

describe("a registration", () => {
  test("leads the node's own name to it at once", async () => {
    const node = await testNode();
    const before = Date.now();
    const registration = await node.register();
    expect(registration).toMatchObject({
      node: node.id,
      epoch: 1,
      zone,
      hostnames: [idHostname(node.id, zone)],
      renewAfterMs: leaseMs / 3,
    });
    expect(registration.expiresAt).toBeGreaterThanOrEqual(before + leaseMs);
    expect(await routeOf(registration.hostnames[0] ?? "")).toEqual({
      name: idHostname(node.id, zone),
      node: node.id,
      epoch: 1,
    });
  });

  test("of a running node's key takes its names over at once, and the older process is told", async () => {
    const older = await registered("takeover");
    const newer = await testNode(older);
    const { epoch, hostnames } = await newer.register();
    expect(epoch).toBe(2);
    expect(hostnames).toEqual([`takeover.${zone}`, older.own]);
    expect(await routeOf(`takeover.${zone}`)).toMatchObject({ epoch: 2 });
    await feed.until(({ routes }) => routes.get(older.own)?.epoch === 2 && routes.get(`takeover.${zone}`)?.epoch === 2);
    await expect(older.renew(1)).rejects.toMatchObject({ code: "epoch-superseded" });
    await expect(release(older, 1)).rejects.toMatchObject({ code: "epoch-superseded" });
    expect(await routeOf(older.own)).toMatchObject({ epoch: 2 });
  });

  test("survives the object's eviction with epoch and aliases", async () => {
    const node = await registered("evicted");
    await evictDurableObject(stubOf(node));
    expect(await node.register()).toMatchObject({ epoch: 2, hostnames: [`evicted.${zone}`, node.own] });
  });

  test("raises the epoch by one for each of many at the same time", async () => {
    const node = await testNode();
    const epochs = await Promise.all(Array.from({ length: 8 }, async () => (await node.register()).epoch));
    expect(epochs.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await routeOf(idHostname(node.id, zone))).toMatchObject({ epoch: 8 });
  });

  test("is answered while the hub is down, and delivered when it is back", async () => {
    const node = await testNode();
    faults.hubDown = true;
    await node.register();
    const own = idHostname(node.id, zone);
    expect(await routeOf(own)).toBeUndefined();

    await runDurableObjectAlarm(stubOf(node));
    expect(await routeOf(own)).toBeUndefined();
    faults.hubDown = false;
    letPass(10_000);
    await runDurableObjectAlarm(stubOf(node));
    expect(await routeOf(own)).toMatchObject({ epoch: 1 });
    const left = await runInDurableObject(stubOf(node), (_, { storage }) =>
      storage.sql.exec("SELECT * FROM outbox").toArray(),
    );
    expect(left).toEqual([]);
  });
});

describe("a lease", () => {
  test("is prolonged by a renewal", async () => {
    const node = await registered();
    letPass(leaseMs - 1_000);
    await node.renew(1);
    letPass(2_000);
    await runDurableObjectAlarm(stubOf(node));
    expect(await routeOf(node.own)).toBeDefined();
  });

  test("that lapses takes the names off the relays, keeps them owned, and comes back with a renewal", async () => {
    const node = await registered("lapsing");
    letPass(leaseMs + 1);
    await runDurableObjectAlarm(stubOf(node));
    await feed.until(({ routes }) => !routes.has(node.own) && !routes.has(`lapsing.${zone}`));
    expect(await routeOf(`lapsing.${zone}`)).toBeUndefined();
    const other = await registered();
    await expect(other.claim("lapsing")).rejects.toMatchObject({ code: "name-taken" });
    await expect(node.claim("another")).rejects.toMatchObject({ code: "lease-expired" });

    expect(await node.renew(1)).toMatchObject({ epoch: 1, hostnames: [`lapsing.${zone}`, node.own] });
    expect(await routeOf(`lapsing.${zone}`)).toMatchObject({ node: node.id, epoch: 1 });
  });

  test("that ended while the edge was away goes on for a moment, in which the node renews it and no name is lost", async () => {
    const [renewing, gone] = [await registered(), await registered()];
    letPass(leaseMs + 60_000);
    for (const node of [renewing, gone]) {
      await evictDurableObject(stubOf(node));
      await runDurableObjectAlarm(stubOf(node));
      expect(await routeOf(node.own)).toMatchObject({ epoch: 1 });
    }
    letPass(lateGraceMs - 5_000);
    await renewing.renew(1);
    letPass(5_001);
    for (const node of [renewing, gone]) {
      await evictDurableObject(stubOf(node));
      await runDurableObjectAlarm(stubOf(node));
    }
    expect(await routeOf(renewing.own)).toMatchObject({ epoch: 1 });
    expect(await routeOf(gone.own)).toBeUndefined();
  });

  test("is refused for an epoch that was never given", async () => {
    const node = await registered();
    await expect(node.renew(2)).rejects.toMatchObject({ code: "not-registered" });
    await expect((await testNode()).renew(1)).rejects.toMatchObject({ code: "not-registered" });
  });

  test("ends with a release, which only a registration undoes", async () => {
    const node = await registered("released");
    await release(node, 1);
    expect(await routeOf(node.own)).toBeUndefined();
    expect(await routeOf(`released.${zone}`)).toBeUndefined();
    await release(node, 1); // said twice is said once
    await expect(node.renew(1)).rejects.toMatchObject({ code: "not-registered" });
    expect(await node.register()).toMatchObject({ epoch: 2, hostnames: [`released.${zone}`, node.own] });
  });
});

describe("an alias", () => {
  test("belongs to the key that came first, until that key gives it back", async () => {
    const [first, second] = [await registered(), await registered()];
    expect(await first.claim("ours")).toEqual({ alias: "ours", hostname: `ours.${zone}`, node: first.id });
    await first.claim("ours"); // again is the same
    await expect(second.claim("ours")).rejects.toMatchObject({ code: "name-taken" });
    await expect(unclaim(second, "ours")).rejects.toMatchObject({ code: "not-found" });

    await unclaim(first, "ours");
    expect(await routeOf(`ours.${zone}`)).toBeUndefined();
    await second.claim("ours");
    expect(await routeOf(`ours.${zone}`)).toMatchObject({ node: second.id });
    expect((await second.renew(1)).hostnames).toEqual([`ours.${zone}`, second.own]);
    expect((await first.renew(1)).hostnames).toEqual([first.own]);
  });

  test("goes to exactly one of many who claim it at the same time", async () => {
    const nodes = await Promise.all(Array.from({ length: 5 }, () => registered()));
    const claims = await Promise.allSettled(nodes.map((node) => node.claim("contested")));
    expect(claims.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("is one of a few", async () => {
    const node = await registered();
    for (let n = 0; n < maxAliasesPerNode; n++) await node.claim(`many-${n}`);
    await expect(node.claim("one-more")).rejects.toMatchObject({ code: "name-limit" });
    await node.claim("many-0");
    await unclaim(node, "many-0");
    await node.claim("one-more");
  });

  test("that is claimed while the hub is down is not the node's yet, and can be claimed again", async () => {
    const node = await registered();
    faults.hubDown = true;
    await expect(node.claim("patience")).rejects.toMatchObject({ code: "upstream-unavailable" });
    expect((await node.renew(1)).hostnames).toEqual([node.own]);
    faults.hubDown = false;
    await node.claim("patience");
    expect((await node.renew(1)).hostnames).toEqual([`patience.${zone}`, node.own]);
  });

  test("that is claimed again while its release is under way is kept", async () => {
    const node = await registered("kept");
    const late = { alias: "kept", hostname: `kept.${zone}`, owner: node.id, revision: 2 };
    await unclaim(node, "kept");
    await node.claim("kept");
    await env.HUBS.get(env.HUBS.idFromName("0")).releaseAlias(late);
    expect(await routeOf(`kept.${zone}`)).toMatchObject({ node: node.id });
  });
});

test("an alarm that is set is not set again by every request", async () => {
  const node = await registered();
  const alarmAt = () => runInDurableObject(stubOf(node), (_, { storage }) => storage.getAlarm());
  await runDurableObjectAlarm(stubOf(node));
  const first = await alarmAt();
  await node.renew(1);
  await node.renew(1);
  expect(await alarmAt()).toBe(first);
});

describe("a node's object that dies over its work", () => {
  test("is woken for it again: no request has set another alarm meanwhile", async () => {
    const node = await registered();
    await runDurableObjectAlarm(stubOf(node));
    const accounts = Promise.withResolvers<readonly AccountBinding[]>();
    inPlace.fetchAccounts = () => accounts.promise;
    letPass(2 * 86_400_000); // they are asked for again
    await node.renew(1);
    await runInDurableObject(stubOf(node), async (object, { storage }) => {
      await storage.deleteAlarm(); // as the runtime shows it to an alarm that runs
      const running = object.alarm();
      const seen = { node: node.id, nonce: crypto.randomUUID(), expiresAt: clock.now() + maxAgeMs };
      await object.rememberNonce(seen);
      expect(await storage.getAlarm()).toBeNull();
      accounts.resolve([]);
      await running;
      expect(await storage.getAlarm()).not.toBeNull();
    });
  });

  test("looks at the first request whether it is woken in time", async () => {
    const node = await registered();
    const late = clock.now() + 86_400_000;
    await runInDurableObject(stubOf(node), (_, { storage }) => storage.setAlarm(late));
    await evictDurableObject(stubOf(node));
    const { expiresAt } = await node.client.request("GET", `/v1/nodes/${node.id}`, nodeViewSchema);
    const alarmAt = await runInDurableObject(stubOf(node), (_, { storage }) => storage.getAlarm());
    expect(alarmAt).toBeLessThanOrEqual(expiresAt);
  });
});

test("nonces are forgotten once their requests would be too old", async () => {
  const node = await registered();
  const count = () =>
    runInDurableObject(stubOf(node), (_, { storage }) => storage.sql.exec("SELECT count(*) n FROM nonces").one()["n"]);
  expect(await count()).toBe(1);
  letPass(maxAgeMs + maxSkewMs + 1_000);
  await runDurableObjectAlarm(stubOf(node));
  expect(await count()).toBe(0);
});
