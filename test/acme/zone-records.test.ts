/** What stands in the zone for a node, over time: hands that edit it, other people's records, nodes that are gone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { NodeView } from "../../shared/registry/messages.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import type { ZoneRecord } from "../support/dns/zone-store.ts";
import { until } from "../support/postern.ts";
import { relayAddress, startEdge, type TestEdge } from "./support/edge.ts";
import { startNode, type TestNode } from "./support/node.ts";

const patienceMs = 10_000;
const dayMs = 86_400_000;
const retentionMs = 1_500;

let world: CertificateWorld;
let edge: TestEdge;

beforeAll(async () => {
  world = await startCertificateWorld();
  edge = await startEdge(world, { DNS_RECONCILE_MS: "300", CAA_LOOK_MS: "300" });
});
afterEach(() => {
  world.api.universalSsl.enabled = false;
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const recordsAt = (name: string, type?: string): ZoneRecord[] =>
  world.store
    .now()
    .at(name)
    .filter((record) => type === undefined || record.type === type);

const contentsAt = (name: string, type?: string): string[] => recordsAt(name, type).map(({ content }) => content);

async function troubled(node: TestNode, isThere: (troubles: NodeView["troubles"]) => boolean): Promise<NodeView> {
  let view = await node.view();
  await until(async () => isThere((view = await node.view()).troubles), patienceMs, "the node is told");
  return view;
}

describe("a record of a node", () => {
  test("that is edited by hand is put right", async () => {
    const node = await startNode(edge);
    await node.settled();
    for (const record of recordsAt(node.name))
      world.store.replace({ ...record, content: record.type === "A" ? "198.51.100.9" : '0 issue "other.example"' });
    await until(() => contentsAt(node.name, "A").join() === relayAddress, patienceMs, "the address is back");
    await until(
      () => contentsAt(node.name, "CAA").every((content) => content.includes("accounturi=")),
      patienceMs,
      "the CAA record is back",
    );
    expect(recordsAt(node.name)).toHaveLength(2);
  });

  test.runIf(process.env["SLOW"])("that is deleted by hand comes back", { timeout: 120_000 }, async () => {
    const node = await startNode(edge);
    await node.settled();
    const before = contentsAt(node.name).toSorted();
    world.store.removeAt(node.name);
    // For a minute a new record that is not shown is taken for one that is shown late.
    await until(() => contentsAt(node.name).toSorted().join() === before.join(), 90_000, "the records are back");
  });

  test("stands beside those of others, which are not touched, whatever becomes of the node", async () => {
    const node = await startNode(edge);
    const foreign = [
      { name: node.name, type: "TXT", content: '"v=spf1 -all"', comment: null },
      { name: node.name, type: "A", content: "203.0.113.7", comment: "postern is not what made this" },
      { name: `_acme-challenge.${node.name}`, type: "TXT", content: "somebody-elses-challenge" },
      { name: `www.${world.zone}`, type: "A", content: "203.0.113.8" },
    ].map((record) => world.store.add(record));
    await node.settled();
    await node.valid(await node.order());
    await node.client.request("DELETE", `/v1/nodes/${node.id}`, z.unknown());
    await until(() => contentsAt(node.name, "CAA").length === 0, patienceMs, "the node's records are gone");
    for (const record of foreign) expect(world.store.get(record.id)).toEqual(record);
    const left = (): number => recordsAt(node.name).length + recordsAt(`_acme-challenge.${node.name}`).length;
    await until(() => left() === 3, patienceMs, "nothing else is left");
  });
});

test("Universal SSL, which puts other CAA records in place of ours, is told with its remedy until it is off", async () => {
  const node = await startNode(edge);
  await node.settled();
  world.api.universalSsl.enabled = true;
  const { troubles } = await troubled(node, ({ length }) => length > 0);
  expect(troubles).toEqual([
    {
      detail: expect.stringContaining(`The CAA records that the Internet sees for ${node.name} are not Postern's`),
      remedy: expect.stringContaining("turn off Universal SSL"),
    },
  ]);
  world.api.universalSsl.enabled = false;
  await troubled(node, ({ length }) => length === 0);
});

test("a token that is revoked is told to nodes that want nothing written just now, until it is accepted again", async () => {
  const node = await startNode(edge);
  await node.settled();
  const { token } = world.api;
  world.api.token = "another";
  const { troubles } = await troubled(node, ({ length }) => length > 0);
  expect(troubles).toEqual([
    { detail: expect.stringContaining("code 10000"), remedy: expect.stringContaining("CLOUDFLARE_API_TOKEN") },
  ]);
  world.api.token = token;
  await troubled(node, ({ length }) => length === 0);
});

describe("the records of a node", () => {
  beforeAll(async () => {
    await edge.kill();
    await edge.start({ LEASE_MS: "1000", DNS_RETENTION_DAYS: String(retentionMs / dayMs) });
  });

  const isGone = (node: TestNode): boolean => recordsAt(node.name).length === 0;

  test("whose lease has lapsed stay for a while and then go; they are back when it is", async () => {
    const node = await startNode(edge);
    await node.settled();
    await until(async () => (await node.view()).state === "lapsed", patienceMs, "the lease has lapsed");
    const lapsedAt = Date.now();
    expect(isGone(node)).toBe(false);
    await until(() => isGone(node), patienceMs, "its records are gone");
    expect(Date.now() - lapsedAt).toBeGreaterThan(retentionMs / 2);
    await node.register();
    await until(() => recordsAt(node.name).length === 2, patienceMs, "its records are back");
  });

  test("that has released its name stay for a while and then go", async () => {
    const node = await startNode(edge);
    await node.settled();
    const { epoch } = await node.view();
    await node.client.request("DELETE", `/v1/nodes/${node.id}/registration?epoch=${epoch}`, z.unknown());
    expect(await node.view()).toMatchObject({ state: "released" });
    expect(isGone(node)).toBe(false);
    await until(() => isGone(node), patienceMs, "its records are gone");
  });
});
