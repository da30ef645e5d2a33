/** Renewals are rehearsed at a second CA, and one that fails is told before it is needed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NodeView } from "../../shared/registry/messages.ts";
import { acmeFault, startAcmeProxy, type AcmeProxy } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { startPebble } from "../support/acme/pebble.ts";
import { until } from "../support/postern.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode, type TestNode } from "./support/node.ts";
import { expectNothingLeft, issuedTo } from "./support/traces.ts";

const patienceMs = 15_000;
const stack = new AsyncDisposableStack();

let world: CertificateWorld;
let staging: AcmeProxy;
let edge: TestEdge;

beforeAll(async () => {
  world = stack.use(await startCertificateWorld());
  const pebble = await startPebble({ dnsServer: world.zoneServer.address, tls: world.pebble.tls });
  staging = stack.use(await startAcmeProxy(stack.use(pebble)));
  staging.caaIdentities = ["staging.example.test"];
  staging.caa = world.proxy.caa;
  edge = stack.use(await startEdge(world, { ACME_STAGING_DIRECTORY: staging.directory, REHEARSAL_MS: "1000" }));
});
afterAll(() => stack.disposeAsync());

const rehearsalsOf = ({ certificates }: NodeView): NodeView["certificates"] =>
  certificates.filter(({ purpose }) => purpose === "rehearsal");

async function seen(node: TestNode, isThere: (view: NodeView) => boolean, what: string): Promise<NodeView> {
  let view = await node.view();
  await until(async () => isThere((view = await node.view())), patienceMs, what);
  return view;
}

test("the first certificate is followed by a rehearsal of its renewal, which serves nobody", async () => {
  const node = await startNode(edge);
  const order = await node.valid(await node.order());
  const isOver = (view: NodeView): boolean => rehearsalsOf(view).some(({ status }) => status === "valid");
  const view = await seen(node, isOver, "the rehearsal has ended well");
  expect(rehearsalsOf(view)[0]).toMatchObject({ issuer: staging.directory, hostnames: [node.name] });
  expect(view.certificates.find(({ purpose }) => purpose === "serve")).toMatchObject({ id: order.id, status: "valid" });
  expect(view.troubles).toEqual([]);
  await expectNothingLeft(world, node); // at the first CA there is no second certificate
  const caa = world.store
    .now()
    .at(node.name)
    .filter(({ type }) => type === "CAA");
  expect(new Set(caa.map(({ content }) => content.split(";")[0]))).toEqual(
    new Set(['0 issue "ca.example.test', '0 issue "staging.example.test']),
  );
  expect(caa).toHaveLength(2);
});

test("a rehearsal that fails is told as a trouble, until one succeeds; the certificate is none the worse", async () => {
  const fault = acmeFault("rejectedIdentifier", 400, { detail: "It does not like the name." });
  const broken = staging.faults.inject("newOrder", fault, { times: 1_000 });
  const node = await startNode(edge);
  const order = await node.valid(await node.order());
  const view = await seen(node, ({ troubles }) => troubles.length > 0, "the trouble is told");
  expect(view.troubles).toEqual([
    {
      detail: expect.stringMatching(/^The last rehearsal of a renewal failed: .*It does not like the name\./),
      remedy: expect.stringContaining("does not issue for this name"),
    },
  ]);
  expect((await node.read(order)).status).toBe("valid");
  expect(issuedTo(world, node)).toHaveLength(1);
  broken.remove();
  await seen(node, ({ troubles }) => troubles.length === 0, "the next rehearsal has ended well");
});
