/** kill -9 of the edge between every two steps of an order, with the request between them done or not done. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import type { Faults, Hold } from "../support/faults.ts";
import { until } from "../support/postern.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode } from "./support/node.ts";
import { expectNothingLeft, issuedTo } from "./support/traces.ts";

const resumedMs = 10_000;

let world: CertificateWorld;
let edge: TestEdge;

beforeAll(async () => {
  world = await startCertificateWorld();
  edge = await startEdge(world);
});
afterEach(() => {
  world.proxy.faults.clear();
  world.api.faults.clear();
  for (const resolver of world.doh) resolver.faults.clear();
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

interface Step {
  /** What the CA, a resolver or Cloudflare does about it. */
  readonly done: string;
  readonly faults: () => Faults;
  readonly pattern: string;
  /** The request after which this one is the first of its kind. */
  readonly behind?: { readonly faults: () => Faults; readonly pattern: string };
}

const proxy = (): Faults => world.proxy.faults;
const api = (): Faults => world.api.faults;
const resolver = (): Faults => {
  const [first] = world.doh;
  if (!first) throw new Error("The world has no resolver.");
  return first.faults;
};

const steps: readonly Step[] = [
  { done: "the order is opened", faults: proxy, pattern: "newOrder" },
  { done: "its authorization is read", faults: proxy, pattern: "authz" },
  { done: "its TXT records are written", faults: api, pattern: "POST /dns_records/batch" },
  { done: "a resolver is asked", faults: resolver, pattern: "/dns-query" },
  { done: "its challenge is taken up", faults: proxy, pattern: "challenge" },
  { done: "it is polled", faults: proxy, pattern: "order" },
  { done: "it is finalized", faults: proxy, pattern: "finalize" },
  { done: "its certificate is downloaded", faults: proxy, pattern: "certificate" },
  {
    done: "its TXT records are removed",
    faults: api,
    pattern: "POST /dns_records/batch",
    behind: { faults: proxy, pattern: "certificate" },
  },
];

const moments = ["before", "after"] as const;
const rows = steps.flatMap((step) => moments.map((when) => ({ done: step.done, when, step })));

/** Holds the request of the row, once the one before it is over. */
async function holdUp({ faults, pattern, behind }: Step, when: "before" | "after"): Promise<Hold> {
  if (!behind) return faults().hold(pattern, when);
  const earlier = behind.faults().hold(behind.pattern, "after");
  await earlier.arrived;
  const hold = faults().hold(pattern, when);
  earlier.release();
  return hold;
}

describe("an order survives that the edge is killed", () => {
  test.each(rows)("$when $done", async ({ when, step }) => {
    const node = await startNode(edge);
    await node.settled();
    const held = holdUp(step, when);
    const csr = await node.csr();
    const ordered = node.order(csr).catch(() => undefined); // the edge may die before it has answered
    const hold = await held;
    await hold.arrived;
    await edge.kill();
    await ordered;
    await edge.start();
    hold.release();

    // Its alarm goes on with it; whatever is in memory is lost, and nobody asks.
    await until(() => issuedTo(world, node).length > 0, resumedMs, "the CA has issued");
    const [order] = (await node.view()).certificates;
    if (!order) throw new Error("The order is lost.");
    const { certificate } = await node.valid(order);
    expect((await node.order(csr)).certificate).toBe(certificate); // what a node asks that was not answered
    await expectNothingLeft(world, node);
    expect((await node.view()).certificates).toHaveLength(1);

    await node.valid(await node.order());
    await expectNothingLeft(world, node, 2);
  });

  test.each(moments)("%s its account is registered", async (when) => {
    await using fresh = await startCertificateWorld();
    const hold = fresh.proxy.faults.hold("newAccount", when);
    await using own = await startEdge(fresh);
    const node = await startNode(own);
    const ordered = node.order().catch(() => undefined);
    await hold.arrived;
    await own.kill();
    await ordered;
    await own.start();
    hold.release();
    const [known] = (await node.view()).certificates;
    const order = await node.valid(known ?? (await node.order()));
    expect(issuedTo(fresh, node)).toHaveLength(1);
    expect(
      fresh.store
        .now()
        .at(node.name)
        .filter(({ type }) => type === "CAA"),
    ).toHaveLength(1);
    expect(order.issuer).toBe(fresh.directory);
    await expectNothingLeft(fresh, node);
  });
});
