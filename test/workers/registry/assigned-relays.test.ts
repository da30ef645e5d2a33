import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { anything, clientOf, testNode } from "../support/edge.ts";
import { zone } from "../support/constants.ts";
import { letPass } from "../support/controls.ts";
import { openFeed } from "../support/feed.ts";
import { testIdentity, type TestIdentity } from "../support/identities.ts";
import { registrationSchema, routeSchema } from "../../../shared/registry/messages.ts";

const [one, two] = [await testIdentity("relay one"), await testIdentity("relay two")];
const routeOf = (name: string) => clientOf(one, "postern-relay").request("GET", `/v1/routes/${name}`, routeSchema);

const heartbeat = (relay: TestIdentity, change: object = {}) =>
  clientOf(relay, "postern-relay").request("PUT", `/v1/relays/${relay.id}/status`, anything, {
    body: {
      host: `${relay.id.slice(0, 8)}.example.com`,
      port: 443,
      name: "relay.example.com",
      version: "test",
      visitors: 0,
      tunnels: 0,
      draining: false,
      ...change,
    },
  });

beforeEach(() => letPass(60_000)); // no heartbeat of another test counts

test("a node's routes name the relays that were chosen for it, and follow the choice", async () => {
  await heartbeat(one);
  await heartbeat(two);
  const node = await testNode();
  const { hostnames } = await node.register();
  const name = hostnames[0] ?? "";
  expect((await routeOf(name)).relays).toEqual([one.id, two.id].toSorted());

  await heartbeat(two, { draining: true });
  await node.renew(1);
  expect((await routeOf(name)).relays).toEqual([one.id]);
});

test("a relay that a node does not reach is not named to it until it is heard of again, there being no other", async () => {
  for (const relay of [one, two]) await heartbeat(relay);
  const [node, other] = [await testNode(), await testNode()];
  await node.register();
  await other.register();
  letPass(1_000);
  const body = { epoch: 1, unreachable: [one.id] };
  const renewed = await node.client.request("PUT", `/v1/nodes/${node.id}/lease`, registrationSchema, { body });
  expect(renewed.relays.map(({ relay }) => relay)).toEqual([two.id]);
  expect((await other.renew(1)).relays).toHaveLength(2);
  expect((await node.renew(1)).relays).toHaveLength(1);
  letPass(9_000);
  for (const relay of [one, two]) await heartbeat(relay);
  expect((await node.renew(1)).relays).toHaveLength(2);
});

test("a relay that a node does not reach is avoided for a while, and ever longer when that lasts", async () => {
  for (const relay of [one, two]) await heartbeat(relay);
  const node = await testNode();
  await node.register();
  const avoided = async (unreachable: string[] = []) => {
    for (const relay of [one, two]) await heartbeat(relay);
    const path = `/v1/nodes/${node.id}/lease`;
    await node.client.request("PUT", path, registrationSchema, { body: { epoch: 1, unreachable } });
    const situation = await env.NODES.get(env.NODES.idFromName(node.id)).situation();
    return situation.avoided.map(({ relay }) => relay);
  };
  expect(await avoided([one.id])).toEqual([one.id]);
  letPass(59_000);
  expect(await avoided()).toEqual([one.id]);
  letPass(1_000);
  expect(await avoided()).toEqual([]);
  expect(await avoided([one.id])).toEqual([one.id]);
  letPass(119_000);
  expect(await avoided()).toEqual([one.id]);
  letPass(1_000);
  expect(await avoided()).toEqual([]);
  letPass(3_700_000);
  expect(await avoided([one.id])).toEqual([one.id]);
  letPass(60_000);
  expect(await avoided()).toEqual([]);
});

test("what a node says of relays that it was not sent to has no effect", async () => {
  await heartbeat(one);
  const node = await testNode();
  await node.register();
  const body = { epoch: 1, unreachable: [two.id] };
  await node.client.request("PUT", `/v1/nodes/${node.id}/lease`, registrationSchema, { body });
  await heartbeat(two);
  expect((await node.renew(1)).relays).toHaveLength(2);
});

test("a relay that has told a node that it stops is not named to it, before the edge has heard of it", async () => {
  for (const relay of [one, two]) await heartbeat(relay);
  const node = await testNode();
  await node.register();
  const renewed = await node.client.request("PUT", `/v1/nodes/${node.id}/lease`, registrationSchema, {
    body: { epoch: 1, draining: [one.id] },
  });
  expect(renewed.relays.map(({ relay }) => relay)).toEqual([two.id]);
  expect((await node.renew(1)).relays).toHaveLength(2);
});

test("the feed tells relays of a choice once, and says nothing at renewals or when no relay is in sight", async () => {
  await heartbeat(one);
  const node = await testNode();
  const { hostnames } = await node.register();
  await node.claim("assigned");
  const feed = await openFeed(one);
  for (const name of [hostnames[0] ?? "", `assigned.${zone}`]) expect(feed.routes.get(name)?.relays).toEqual([one.id]);
  await node.renew(1);
  letPass(11 * 60_000);
  expect((await node.renew(1)).relays).toEqual([]);
  await heartbeat(two);
  await node.renew(1);
  await feed.until(({ routes }) => routes.get(hostnames[0] ?? "")?.relays?.[0] === two.id);
  expect(feed.messages).toHaveLength(2);
});

test("a node that starts anew has its relays in its routes at once", async () => {
  await heartbeat(one);
  const node = await testNode();
  await node.register();
  letPass(60_000);
  const { hostnames } = await node.register();
  expect(await routeOf(hostnames[0] ?? "")).toMatchObject({ epoch: 2, relays: [one.id] });
});
