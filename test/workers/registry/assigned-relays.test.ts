import { beforeEach, expect, test } from "vitest";
import { anything, clientOf, testNode } from "../support/edge.ts";
import { letPass } from "../support/controls.ts";
import { openFeed } from "../support/feed.ts";
import { testIdentity, type TestIdentity } from "../support/identities.ts";
import { routeSchema } from "../../../shared/registry/messages.ts";

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

test("the feed tells relays of a choice once, and says nothing at renewals or when no relay is in sight", async () => {
  await heartbeat(one);
  const node = await testNode();
  const { hostnames } = await node.register();
  await node.claim("assigned");
  const feed = await openFeed(one);
  for (const name of [hostnames[0], "assigned.postern.localhost"])
    if (name?.endsWith("postern.localhost")) expect(feed.routes.get(name)?.relays).toEqual([one.id]);
  await node.renew(1);
  letPass(60_000);
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
