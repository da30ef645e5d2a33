import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { letPass } from "../support/controls.ts";
import { zone } from "../support/constants.ts";
import { anything, clientOf, problemOf, send, signedRequest, testNode } from "../support/edge.ts";
import { feedRequest, openFeed } from "../support/feed.ts";
import { freshIdentity, testIdentity } from "../support/identities.ts";
import { feedPing, feedPong } from "../../../shared/registry/feed.ts";
import { routeSchema } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { feedReplaced, tombstoneMs } from "../../../workers/routing/route-hub.ts";

const relay = await testIdentity("relay one");
const otherRelay = await testIdentity("relay two");
const hub = env.HUBS.get(env.HUBS.idFromName("0"));

async function registered() {
  const node = await testNode();
  await node.register();
  return { ...node, own: idHostname(node.id, zone) };
}

describe("a feed", () => {
  test("begins with a snapshot and goes on with every change", async () => {
    const before = await registered();
    const feed = await openFeed(relay);
    expect(feed.messages[0]).toMatchObject({ type: "snapshot", first: true, last: true });
    expect(feed.routes.get(before.own)).toEqual({ name: before.own, node: before.id, epoch: 1 });
    const after = await registered();
    await feed.until(({ routes }) => routes.has(after.own));
    await after.claim("fed");
    await feed.until(({ routes }) => routes.get(`fed.${zone}`)?.node === after.id);
    feed.socket.close();
  });

  test("resumes after its cursor with what changed since, removals too", async () => {
    const [stays, goes] = [await registered(), await registered()];
    const first = await openFeed(relay);
    first.socket.close();
    const comes = await registered();
    await goes.client.request("DELETE", `/v1/nodes/${goes.id}/registration?epoch=1`, anything);

    const second = await openFeed(relay, first.cursor);
    expect(second.messages).toMatchObject([{ type: "delta" }]);
    expect([...second.routes.keys()]).toEqual([comes.own]);
    expect(second.messages[0]).toMatchObject({ changes: expect.arrayContaining([{ name: goes.own, node: null }]) });
    expect(second.texts.join()).not.toContain(stays.own);

    const third = await openFeed(relay, second.cursor);
    expect(third.messages).toEqual([{ type: "delta", cursor: second.cursor, changes: [] }]);
  });

  test("gets a snapshot for a cursor that is too old", async () => {
    const [node, late] = [await registered(), await registered()];
    const { cursor } = await openFeed(relay);
    await node.client.request("DELETE", `/v1/nodes/${node.id}/registration?epoch=1`, anything);
    letPass(tombstoneMs + 1);
    await runDurableObjectAlarm(hub);
    await late.register();
    const feed = await openFeed(relay, cursor);
    expect(feed.messages[0]).toMatchObject({ type: "snapshot" });
    expect(feed.routes.has(late.own)).toBe(true);
  });

  test("gets a snapshot for a cursor of another hub, and for nonsense", async () => {
    for (const since of ["0123456789abcdef.0", "nonsense"])
      expect((await openFeed(relay, since)).messages[0]).toMatchObject({ type: "snapshot" });
  });

  test("outlives the hub's sleep", async () => {
    const feed = await openFeed(relay);
    await evictDurableObject(hub);
    const node = await registered();
    await feed.until(({ routes }) => routes.has(node.own));
    expect(feed.closeCode).toBeUndefined();
  });

  test("answers a ping without waking the hub", async () => {
    const feed = await openFeed(relay);
    feed.socket.send(feedPing);
    await feed.until(({ texts }) => texts.includes(feedPong));
  });

  test("of a relay that connects again replaces the one before, and no other's", async () => {
    const [first, other] = [await openFeed(relay), await openFeed(otherRelay)];
    const second = await openFeed(relay);
    await first.until(({ closeCode }) => closeCode !== undefined);
    expect(first.closeCode).toBe(feedReplaced);
    const node = await registered();
    for (const feed of [second, other]) await feed.until(({ routes }) => routes.has(node.own));
  });

  test("is closed when the relay talks", async () => {
    const feed = await openFeed(relay);
    feed.socket.send("hello?");
    await feed.until(({ closeCode }) => closeCode !== undefined);
    expect(feed.closeCode).toBe(1003);
  });

  test("is for relays on the list", async () => {
    const stranger = await freshIdentity();
    expect((await problemOf(await send(await feedRequest(stranger)))).code).toBe("relay-unknown");
  });

  test("is for the relay in its path", async () => {
    const path = `/v1/relays/${otherRelay.id}/feed`;
    const request = await signedRequest(relay, {
      method: "GET",
      path,
      role: "postern-relay",
      headers: { upgrade: "websocket" },
    });
    expect((await problemOf(await send(request))).code).toBe("forbidden");
  });

  test("is a WebSocket", async () => {
    const path = `/v1/relays/${relay.id}/feed`;
    const request = await signedRequest(relay, { method: "GET", path, role: "postern-relay" });
    expect((await problemOf(await send(request))).code).toBe("bad-request");
  });
});

describe("a look-up", () => {
  const find = (name: string) => clientOf(relay, "postern-relay").request("GET", `/v1/routes/${name}`, routeSchema);

  test("finds a name in any case", async () => {
    const node = await registered();
    expect(await find(node.own.toUpperCase())).toEqual({ name: node.own, node: node.id, epoch: 1 });
  });

  test("finds nothing for a name nobody has", async () => {
    await expect(find(`nobody.${zone}`)).rejects.toMatchObject({ code: "not-found" });
  });

  test("is for relays on the list", async () => {
    const stranger = clientOf(await freshIdentity(), "postern-relay");
    await expect(stranger.request("GET", "/v1/routes/a.b", routeSchema)).rejects.toMatchObject({
      code: "relay-unknown",
    });
  });
});
