import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { clock, letPass } from "../support/controls.ts";
import { clientOf, send, signedRequest, testNode } from "../support/edge.ts";
import { freshIdentity, testIdentity, type TestIdentity } from "../support/identities.ts";
import { registrationSchema, relayListSchema, relayStatusAnswerSchema } from "../../../shared/registry/messages.ts";
import { readHeartbeat, storeHeartbeat } from "../../../workers/relays/relay-status.ts";

const report = {
  host: "127.0.0.1",
  port: 8443,
  name: "relay.postern.localhost",
  version: "1 «ß»",
  visitors: 3,
  tunnels: 1,
  draining: false,
};
const berlin = { latitude: 52.52, longitude: 13.4 };
const tokyo = { latitude: 35.68, longitude: 139.69 };

const heartbeat = (relay: TestIdentity, change: object = {}) =>
  clientOf(relay, "postern-relay").request("PUT", `/v1/relays/${relay.id}/status`, relayStatusAnswerSchema, {
    body: { ...report, ...change },
  });

describe("a relay's status", () => {
  test("is what was stored last, also after a restart", async () => {
    const { id } = await freshIdentity();
    expect(await readHeartbeat(env, id)).toBeUndefined();
    await storeHeartbeat(env, id, { report, at: 1 });
    await storeHeartbeat(env, id, { report: { ...report, visitors: 4 }, at: 2 });
    await abortAllDurableObjects();
    expect(await readHeartbeat(env, id)).toEqual({ report: { ...report, visitors: 4 }, at: 2 });
  });

  test("is refused from a relay that is not on the list", async () => {
    await expect(heartbeat(await freshIdentity())).rejects.toMatchObject({ code: "relay-unknown" });
  });

  test("is refused in the name of another relay", async () => {
    const { id } = await testIdentity("relay two");
    const one = clientOf(await testIdentity("relay one"), "postern-relay");
    await expect(
      one.request("PUT", `/v1/relays/${id}/status`, relayStatusAnswerSchema, { body: report }),
    ).rejects.toMatchObject({ code: "forbidden" });
  });
});

test("a heartbeat is answered with the other relays whose heartbeats come", async () => {
  const [one, two, three] = await Promise.all(["one", "two", "three"].map((name) => testIdentity(`relay ${name}`)));
  if (!one || !two || !three) throw new Error("three relays");
  letPass(60_000); // what other tests have told is old
  expect((await heartbeat(one)).relays).toEqual([]);
  await heartbeat(two, { host: "relay.example.com", addresses: ["2001:DB8::7"] });
  letPass(20_000);
  await heartbeat(three, { draining: true });
  const endpoint = { port: 8443, name: "relay.postern.localhost" };
  expect((await heartbeat(one)).relays.toSorted((a, b) => a.host.localeCompare(b.host))).toEqual([
    { relay: three.id, host: "127.0.0.1", ...endpoint, addresses: ["127.0.0.1"], draining: true },
    { relay: two.id, host: "relay.example.com", ...endpoint, addresses: ["2001:db8::7"], draining: false },
  ]);
  letPass(5_000);
  expect((await heartbeat(three)).relays.map(({ relay }) => relay)).toEqual([one.id]);
});

test("a node that says nothing of its place is where its request came from", async () => {
  const [inBerlin, inTokyo] = [await testIdentity("relay one"), await testIdentity("relay two")];
  await heartbeat(inBerlin, { place: berlin });
  await heartbeat(inTokyo, { place: tokyo });
  const node = await freshIdentity();
  const body = JSON.stringify({ version: "1" });
  const signed = await signedRequest(node, { method: "POST", path: `/v1/nodes/${node.id}/registration`, body });
  const cf = { latitude: "34.69", longitude: "135.50" };
  const response = await send(new Request(signed, { cf }));
  const { relays } = registrationSchema.parse(await response.json());
  expect(relays.map(({ relay }) => relay)).toEqual([inTokyo.id, inBerlin.id]);
});

test("a node is named the nearest healthy relays with its registration, its lease and on request", async () => {
  const [inBerlin, inTokyo] = [await testIdentity("relay one"), await testIdentity("relay two")];
  expect(await heartbeat(inBerlin, { place: berlin })).toMatchObject({ nextInMs: 10_000 });
  await heartbeat(inTokyo, { place: tokyo });
  const stopping = await testIdentity("relay three");
  await heartbeat(stopping, { draining: true });

  const node = await testNode();
  const list = async () =>
    (await node.client.request("GET", `/v1/nodes/${node.id}/relays`, relayListSchema)).relays.map(({ relay }) => relay);
  const { relays } = await node.register({ version: "1", place: { latitude: 35, longitude: 139 } });
  expect(relays).toEqual([
    { relay: inTokyo.id, host: "127.0.0.1", port: 8443, name: "relay.postern.localhost" },
    { relay: inBerlin.id, host: "127.0.0.1", port: 8443, name: "relay.postern.localhost" },
  ]);
  expect(await list()).toEqual([inTokyo.id, inBerlin.id]);

  letPass(20_000);
  for (const relay of [inBerlin, stopping]) await heartbeat(relay, { place: berlin, draining: relay === stopping });
  letPass(10_000);
  expect((await node.renew(1)).relays.map(({ relay }) => relay)).toEqual([inBerlin.id]);
  letPass(600_000);
  expect(await list()).toEqual([]);
  expect(clock.now()).toBeGreaterThan(Date.now());
});
