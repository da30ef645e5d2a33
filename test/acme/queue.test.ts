/** More nodes than the CA allows certificates for: first come, first served, whatever happens meanwhile. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Order } from "../../shared/registry/messages.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { until } from "../support/postern.ts";
import { startEdge, type TestEdge } from "./support/edge.ts";
import { startNode, type TestNode } from "./support/node.ts";
import { challengesIn, expectNothingLeft, issuedTo } from "./support/traces.ts";

const nodeCount = 200;
const budget = 50;
const patienceMs = 60_000;

let world: CertificateWorld;
let edge: TestEdge;

beforeAll(async () => {
  world = await startCertificateWorld();
  const [start, end] = [new Date(Date.now() + 86_400_000), new Date(Date.now() + 2 * 86_400_000)];
  world.proxy.renewalInfo = () => ({ start, end });
  edge = await startEdge(world, { ACME_LIMITS: `certificates=${budget}/7d` });
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

interface Ordering {
  readonly node: TestNode;
  readonly csr: string;
}

/** Asks again when the edge has gone away over it, as a node does: the same request is the same order. */
async function orderOf({ node, csr }: Ordering): Promise<Order> {
  for (const deadline = Date.now() + patienceMs; ;) {
    try {
      return await node.order(csr);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

interface Place {
  readonly place: number;
  readonly days: number;
}

/** Its place in the queue, and in how many days it is to have its turn. */
function placeOf({ words = "" }: Order): Place | undefined {
  const [, place, days] = /place (\d+), turn in about (\d+) days$/.exec(words) ?? [];
  return place === undefined ? undefined : { place: Number(place), days: Number(days) };
}

test(
  "200 nodes that order at once get 50 certificates and 150 places, also when the edge is killed meanwhile",
  { timeout: 150_000 },
  async () => {
    const nodes: TestNode[] = [];
    for (let at = 0; at < nodeCount; at += 20)
      nodes.push(...(await Promise.all(Array.from({ length: 20 }, () => startNode(edge)))));
    const orderings = await Promise.all(nodes.map(async (node) => ({ node, csr: await node.csr() })));

    const ordered = Promise.all(orderings.map(orderOf));
    const issued = (): number => world.proxy.orders.filter(({ finalized }) => finalized).length;
    await until(() => issued() >= budget / 2, patienceMs, "half of the certificates are issued");
    await edge.kill();
    await edge.start();
    const first = await ordered;

    const isSettled = (order: Order): boolean => order.status === "valid" || placeOf(order) !== undefined;
    const orders = await Promise.all(
      first.map((order, at) => nodes[at]?.follow(order, isSettled, patienceMs) ?? Promise.reject(new Error("no node"))),
    );
    const valid = orders.filter(({ status }) => status === "valid");
    expect(valid).toHaveLength(budget);
    const places = orders.flatMap((order) => placeOf(order) ?? []).toSorted((a, b) => a.place - b.place);
    expect(places).toEqual(
      Array.from({ length: nodeCount - budget }, (_, before) => ({
        place: before + 1,
        days: 7 * (1 + Math.floor(before / budget)), // as many have their turn each week
      })),
    );

    expect(issued()).toBe(budget);
    for (const [at, node] of nodes.entries())
      expect(issuedTo(world, node)).toHaveLength(orders[at]?.status === "valid" ? 1 : 0);
    await until(() => challengesIn(world).length === 0, patienceMs, "no challenge is left");

    const renewing = nodes.find((_, at) => orders[at]?.status === "valid");
    if (!renewing) throw new Error("Nobody has a certificate.");
    await renewing.valid(await renewing.order()); // the CA counts no renewal
    await expectNothingLeft(world, renewing, 2);
  },
);
