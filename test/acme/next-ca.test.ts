/** With several CAs in the order of preference, one that refuses an order, or puts it off for long, costs no time. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { acmeFault, rateLimited, startAcmeProxy, type AcmeProxy } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { startPebble } from "../support/acme/pebble.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode } from "./support/node.ts";
import { expectNothingLeft } from "./support/traces.ts";

const stack = new AsyncDisposableStack();

let world: CertificateWorld;
let second: AcmeProxy;
let edge: TestEdge;

beforeAll(async () => {
  world = stack.use(await startCertificateWorld());
  const { zoneServer, pebble } = world;
  second = stack.use(
    await startAcmeProxy(stack.use(await startPebble({ dnsServer: zoneServer.address, tls: pebble.tls }))),
  );
  second.caaIdentities = ["second.example.test"];
  second.caa = world.proxy.caa;
  edge = stack.use(await startEdge(world, { ACME_DIRECTORY: `${world.directory},${second.directory}` }));
});
afterEach(() => world.proxy.faults.clear());
afterAll(() => stack.disposeAsync());

test.each([
  { does: "refuses the name", fault: acmeFault("rejectedIdentifier", 400) },
  { does: "takes no orders for an hour", fault: rateLimited("3600") },
])("an order at a CA that $does is opened at the next one", async ({ fault }) => {
  const refused = world.proxy.faults.inject("newOrder", fault);
  const node = await startNode(edge);
  const order = await node.valid(await node.order());
  expect(order.issuer).toBe(second.directory);
  expect(refused.hits).toBe(1);
  await expectNothingLeft(world, node, 0);
  expect(second.orders.filter(({ finalized, names }) => finalized && names.includes(node.name))).toHaveLength(1);
});
