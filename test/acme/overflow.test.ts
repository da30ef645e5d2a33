/** Several CAs in the order of preference: another takes what the first cannot, or will not just now. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { acmeFault, rateLimited, startAcmeProxy, type AcmeProxy } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { startPebble } from "../support/acme/pebble.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode } from "./support/node.ts";
import { expectNothingLeft } from "./support/traces.ts";

const externalAccount = {
  kid: "customer-7",
  hmacKey: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
};
const stack = new AsyncDisposableStack();

let world: CertificateWorld;
let second: AcmeProxy;
let edge: TestEdge;

beforeAll(async () => {
  world = stack.use(await startCertificateWorld());
  const { kid, hmacKey } = externalAccount;
  const pebble = await startPebble({
    dnsServer: world.zoneServer.address,
    tls: world.pebble.tls,
    externalAccounts: { [kid]: hmacKey },
  });
  second = stack.use(await startAcmeProxy(stack.use(pebble)));
  second.caaIdentities = ["second.example.test"];
  second.caa = world.proxy.caa;
  edge = stack.use(
    await startEdge(world, {
      ACME_DIRECTORY: `${world.directory},${second.directory}`,
      ACME_EAB_KID_2: kid,
      ACME_EAB_HMAC_KEY_2: hmacKey,
      ACME_LIMITS: "certificates=2/7d",
    }),
  );
});
afterEach(() => world.proxy.faults.clear());
afterAll(() => stack.disposeAsync());

test.each([
  ["is asked for too much", rateLimited("3600")],
  ["refuses the name", acmeFault("rejectedIdentifier", 400)],
])("an order at a CA that %s is opened at the next, by an account bound to its customer", async (_, fault) => {
  world.proxy.faults.inject("newOrder", fault);
  const node = await startNode(edge);
  const order = await node.valid(await node.order());
  expect(order.issuer).toBe(second.directory);
  await expectNothingLeft(world, node, 0);
  await edge.kill(); // what the first has said is remembered
  await edge.start();
  expect(world.proxy.faults.count("finalize")).toBe(0);
});
