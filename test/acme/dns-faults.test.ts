/** DNS that does not do as it is told: a provider with its bad days, resolvers that do not agree. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { cloudflareFault, tooManyRequests } from "../support/dns/cloudflare-api.ts";
import type { ResolverMode } from "../support/dns/doh-resolver.ts";
import { garbage, htmlPage, type Fault } from "../support/faults.ts";
import { until } from "../support/postern.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode } from "./support/node.ts";
import { expectNothingLeft } from "./support/traces.ts";

const patienceMs = 30_000;
const batch = "POST /dns_records/batch";

let world: CertificateWorld;
let edge: TestEdge;

beforeAll(async () => {
  world = await startCertificateWorld();
  edge = await startEdge(world);
});
afterEach(() => {
  world.proxy.faults.clear();
  world.api.faults.clear();
  Object.assign(world.api, { listLagMs: 0, rights: "edit", recordQuota: Number.POSITIVE_INFINITY });
  for (const resolver of world.doh) {
    resolver.mode = "up";
    resolver.lag = 0;
  }
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const faults: readonly { readonly way: string; readonly fault: Fault; readonly listLagMs?: number }[] = [
  { way: "that it is asked too often", fault: tooManyRequests(2) },
  { way: "with its own failure", fault: cloudflareFault(500) },
  { way: "with its own failure, having done it", fault: withEffect(cloudflareFault(500)) },
  { way: "with a page of HTML", fault: htmlPage(502) },
  { way: "with half of an answer", fault: { kind: "truncate" } },
  { way: "with JSON that says nothing", fault: garbage("{}") },
  { way: "by hanging up", fault: { kind: "drop", when: "before" } },
  { way: "by hanging up, having done it", fault: { kind: "drop", when: "after" } },
  { way: "by hanging up, and shows late what it has done", fault: { kind: "drop", when: "after" }, listLagMs: 1_500 },
];

function withEffect(fault: Fault): Fault {
  return fault.kind === "answer" ? { ...fault, applied: true } : fault;
}

describe("a provider that answers", () => {
  test.each(faults)(
    "$way, first to a challenge and then to its removal, costs no order",
    async ({ fault, listLagMs }) => {
      const node = await startNode(edge);
      await node.settled();
      world.api.listLagMs = listLagMs ?? 0;
      const first = world.api.faults.inject(batch, fault);
      const hold = world.proxy.faults.hold("certificate", "before");
      const ordered = node.order();
      await hold.arrived;
      const second = world.api.faults.inject(batch, fault);
      hold.release();
      await node.valid(await ordered, patienceMs);
      await expectNothingLeft(world, node);
      expect([first.hits, second.hits]).toEqual([1, 1]);
      await node.valid(await node.order(), patienceMs);
      await expectNothingLeft(world, node, 2);
    },
  );

  test("nothing at all is not waited for: the order says what is wrong, and ends when it answers", async () => {
    const node = await startNode(edge);
    await node.settled();
    world.api.faults.inject(batch, { kind: "silence", when: "before" });
    const order = await node.order();
    const troubled = await node.follow(order, ({ trouble }) => trouble !== undefined, patienceMs);
    expect(troubled).toMatchObject({
      status: "processing",
      trouble: { remedy: expect.stringContaining("status page") },
    });
    await node.valid(order, patienceMs);
    await expectNothingLeft(world, node);
  });
});

test("a token without rights is said in words, with what to do; with the rights given it goes on by itself", async () => {
  const node = await startNode(edge);
  await node.settled();
  world.api.rights = "read";
  const order = await node.order();
  const troubled = await node.follow(order, ({ trouble }) => trouble !== undefined);
  expect(troubled).toMatchObject({
    status: "processing",
    words: expect.stringMatching(/^waiting for the challenge's TXT records to be written: next try in \d+ s$/),
    trouble: {
      detail: expect.stringContaining("10000"),
      remedy: expect.stringMatching(/Zone → DNS → Edit.*CLOUDFLARE_API_TOKEN/),
    },
  });
  const { troubles } = await node.view();
  expect(troubles).toContainEqual(troubled.trouble);
  world.api.rights = "edit";
  await node.valid(order, patienceMs);
  await expectNothingLeft(world, node);
  expect((await node.view()).troubles).toEqual([]);
});

test("a full zone is said in words, and keeps what it has", async () => {
  const node = await startNode(edge);
  await node.settled();
  const records = world.store.size;
  world.api.recordQuota = records;
  const order = await node.order();
  const troubled = await node.follow(order, ({ trouble }) => trouble !== undefined);
  expect(troubled).toMatchObject({
    status: "processing",
    trouble: { detail: expect.stringMatching(/quota/i), remedy: expect.stringContaining("Delete records") },
  });
  expect(world.store.size).toBe(records);
  world.api.recordQuota = Number.POSITIVE_INFINITY;
  if (!process.env["SLOW"]) return; // it is tried again after a minute
  await node.valid(order, 90_000);
  await expectNothingLeft(world, node);
}, 120_000);

describe("one resolver of two", () => {
  const modes: readonly ResolverMode[] = ["refused", "error", "servfail", "garbage"];

  test.each(modes)("whose trouble is «%s» is waited for, in words, and then the order ends", async (mode) => {
    const node = await startNode(edge);
    await node.settled();
    const [, second] = world.doh;
    if (!second) throw new Error("There is one resolver only.");
    second.mode = mode;
    const order = await node.order();
    const waiting = await node.follow(order, ({ words = "" }) => words.includes("waiting for DNS: 1 of 2"));
    expect(waiting).toMatchObject({
      status: "processing",
      words: expect.stringMatching(/^waiting for DNS: 1 of 2 resolvers see it, next look in \d+ s$/),
    });
    second.mode = "up";
    await node.valid(order, patienceMs);
    await expectNothingLeft(world, node);
  });

  test("that sees nothing new keeps the order waiting, is named after a minute, and ends it by agreeing", async () => {
    const node = await startNode(edge);
    await node.settled();
    const [, second] = world.doh;
    if (!second) throw new Error("There is one resolver only.");
    second.lag = "never";
    const order = await node.order();
    await node.follow(order, ({ words = "" }) => words.includes("1 of 2 resolvers see it"));
    const challenges = world.proxy.faults.count("POST challenge");
    if (process.env["SLOW"]) {
      const told = await node.follow(order, ({ trouble }) => trouble !== undefined, 90_000);
      expect(told).toMatchObject({ status: "processing", trouble: { detail: expect.stringContaining(second.url) } });
    }
    expect(world.proxy.faults.count("POST challenge")).toBe(challenges); // the CA is not told before
    second.lag = 0;
    await node.valid(order, patienceMs);
    await expectNothingLeft(world, node);
  }, 150_000);
});

test("a zone whose own server is behind keeps the order from the resolvers, in words, until it is not", async () => {
  const node = await startNode(edge);
  await node.settled();
  world.zoneServer.lag = "never";
  const asked = (): number[] => world.doh.map(({ queries }) => queries.filter(({ type }) => type === "TXT").length);
  const before = asked();
  const order = await node.order();
  await node.follow(order, ({ words = "" }) => words.startsWith("waiting for DNS"));
  expect(asked()).toEqual(before); // they would remember that there is nothing
  world.zoneServer.lag = 0;
  await node.valid(order, patienceMs);
  await until(() => world.store.now().at(`_acme-challenge.${node.name}`).length === 0, patienceMs, "all is tidied up");
});
