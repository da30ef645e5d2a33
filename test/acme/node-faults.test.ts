/** Nodes that change their minds, ask for what is not theirs, or leave in the middle. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { until } from "../support/postern.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode } from "./support/node.ts";
import { challengesIn, expectNothingLeft, issuedTo } from "./support/traces.ts";

const patienceMs = 10_000;

let world: CertificateWorld;
let edge: TestEdge;

beforeAll(async () => {
  world = await startCertificateWorld();
  edge = await startEdge(world);
});
afterEach(() => {
  world.proxy.faults.clear();
  world.api.faults.clear();
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

test("a node that asks for names of others is refused, and the CA hears nothing of it", async () => {
  const [node, other] = [await startNode(edge), await startNode(edge)];
  const orders = world.proxy.orders.length;
  for (const names of [[other.name], [node.name, other.name], [`*.${node.name}`], [world.zone], [`*.${world.zone}`]])
    await expect(node.csr(names).then((csr) => node.order(csr))).rejects.toMatchObject({ code: "csr-rejected" });
  expect(world.proxy.orders.length).toBe(orders);
  expect((await node.view()).certificates).toEqual([]);
});

test.each(["newOrder", "authz", "challenge"])("another key at «%s» ends the order of the one before", async (kind) => {
  const node = await startNode(edge);
  await node.settled();
  const hold = world.proxy.faults.hold(kind, "after");
  const older = await node.order();
  await hold.arrived;
  const newer = await node.order();
  expect(newer.id).not.toBe(older.id);
  hold.release();
  await node.valid(newer);
  expect(await node.read(older)).toMatchObject({
    status: "invalid",
    trouble: { detail: expect.stringContaining("newer request"), remedy: expect.stringContaining("newer order") },
  });
  await expectNothingLeft(world, node);
});

test("a request that is sent many times at once, as after a lost answer, is one order", async () => {
  const node = await startNode(edge);
  const csr = await node.csr();
  const orders = await Promise.all(Array.from({ length: 8 }, () => node.order(csr)));
  expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
  const [order] = orders;
  if (order) await node.valid(order);
  await expectNothingLeft(world, node);
  expect(world.proxy.orders.filter(({ names }) => names.includes(node.name))).toHaveLength(1);
});

test("a node that stops in the middle finds its certificate when it is back", async () => {
  const node = await startNode(edge);
  await node.settled();
  const hold = world.proxy.faults.hold("challenge", "before");
  const order = await node.order();
  await hold.arrived;
  const { epoch } = await node.view();
  await node.client.request("DELETE", `/v1/nodes/${node.id}/registration?epoch=${epoch}`, z.unknown());
  hold.release();
  await until(() => issuedTo(world, node).length === 1, patienceMs, "the order goes on");
  await node.register();
  await node.valid(order);
  await expectNothingLeft(world, node);
});

test.each(["newOrder", "authz", "challenge", "finalize"])(
  "a node that leaves for good at «%s» leaves nothing",
  async (kind) => {
    const node = await startNode(edge);
    await node.settled();
    const hold = world.proxy.faults.hold(kind, "after");
    const order = await node.order();
    await hold.arrived;
    await node.client.request("DELETE", `/v1/nodes/${node.id}`, z.unknown());
    hold.release();
    expect(await node.read(order)).toMatchObject({ status: "invalid", trouble: { detail: "The node has left." } });
    const names = [node.name, `_acme-challenge.${node.name}`];
    await until(
      () => names.every((name) => world.store.now().at(name).length === 0),
      patienceMs,
      "its records are gone",
    );
    expect(challengesIn(world)).toEqual([]);
    expect(await node.read(order)).toMatchObject({ status: "invalid" });
  },
);

test("a node that leaves for good just before the edge is killed leaves nothing either", async () => {
  const node = await startNode(edge);
  await node.settled();
  const challenged = world.proxy.faults.hold("challenge", "before");
  const order = await node.order();
  await challenged.arrived;
  const removal = world.api.faults.hold("POST /dns_records/batch", "before");
  await node.client.request("DELETE", `/v1/nodes/${node.id}`, z.unknown());
  await removal.arrived;
  await edge.kill();
  await edge.start();
  removal.release();
  challenged.release();
  const names = [node.name, `_acme-challenge.${node.name}`];
  await until(() => names.every((name) => world.store.now().at(name).length === 0), patienceMs, "its records are gone");
  expect(await node.read(order)).toMatchObject({ status: "invalid" });
  expect(issuedTo(world, node)).toEqual([]);
});
