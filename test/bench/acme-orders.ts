/** How much longer does a certificate take through the edge than at the CA alone? */
import { randomBytes } from "node:crypto";
import { startBenchEdge, type BenchEdge } from "./support/bench-edge.ts";
import { createBenchCsr, createBenchNode, type BenchNode } from "./support/bench-node.ts";
import { openDirectOrders } from "./support/direct-order.ts";
import { startCertificateWorld } from "../support/acme/certificate-world.ts";
import type { Order } from "../../shared/registry/messages.ts";

export interface OrderTime {
  /** From the request until the edge has the certificate, as its log says. */
  readonly edgeMs: number;
  /** From the request until the node has it, asking as often as nodes do. */
  readonly nodeMs: number;
  readonly requests: number;
}

export interface OrderTimes {
  /** The CA's own time: the same order made from this process. */
  readonly directMs: readonly number[];
  readonly first: readonly OrderTime[];
  readonly renewal: readonly OrderTime[];
}

export const goalAboveMs = 150;
/** As a node polls: tee-bot/certificate/edge-orders.ts. */
const minPollMs = 500;
const orderDeadlineMs = 60_000;
const restMs = 300;
/** Far above what is ordered here: the queue is not what is measured. */
export const wideLimits = "certificates=100000/7d, duplicates=100000/7d, orders=100000/3h";

export async function measureOrderTimes(bundle: string, rounds: number): Promise<OrderTimes> {
  await using world = await startCertificateWorld();
  await using edge = await startBenchEdge({ bundle, world, vars: { ACME_LIMITS: wideLimits } });
  using direct = await openDirectOrders(world);
  const times = { directMs: [] as number[], first: [] as OrderTime[], renewal: [] as OrderTime[] };
  for (let round = -1; round < rounds; round++) {
    // The first round only warms up: accounts are registered, code is loaded.
    const hostnames = [label(), label()].map((name) => `${name}.${world.zone}`);
    const csr = await createBenchCsr(hostnames);
    const startedAt = performance.now();
    await direct.order(hostnames, csr);
    const directMs = performance.now() - startedAt;
    await rest();

    const node = await createBenchNode(edge.url);
    await node.register();
    await node.claim(label());
    const names = (await node.register()).hostnames;
    const first = await timeOrder(edge, node, names);
    await rest();
    const renewal = await timeOrder(edge, node, names);
    await rest();
    console.error(
      `  order times: CA ${directMs.toFixed(0)} ms, first ${first.edgeMs.toFixed(0)} (${first.nodeMs.toFixed(0)}) ms, ` +
        `renewal ${renewal.edgeMs.toFixed(0)} (${renewal.nodeMs.toFixed(0)}) ms`,
    );
    if (round < 0) continue;
    times.directMs.push(directMs);
    times.first.push(first);
    times.renewal.push(renewal);
  }
  return times;
}

async function timeOrder(edge: BenchEdge, node: BenchNode, hostnames: readonly string[]): Promise<OrderTime> {
  const csr = await createBenchCsr(hostnames);
  const finished = Promise.withResolvers<number>();
  const stop = edge.onLine(({ event }) => {
    if (event === "order.finished") finished.resolve(performance.now());
  });
  const startedAt = performance.now();
  const { order, ms: nodeMs, requests } = await orderToEnd(node, csr);
  mustBeValid(order);
  const edgeMs = (await finished.promise) - startedAt;
  stop();
  return { edgeMs, nodeMs, requests };
}

/** Asks as often as a node does. */
export async function orderToEnd(
  node: BenchNode,
  csr: string,
): Promise<{ order: Order; ms: number; requests: number }> {
  const startedAt = performance.now();
  const ms = (): number => performance.now() - startedAt;
  let order = await node.order(csr);
  let requests = 1;
  while (order.status === "processing") {
    if (ms() > orderDeadlineMs) throw new Error(`an order without end: ${order.words}`);
    await sleep(Math.max(minPollMs, order.retryAfterMs ?? 0));
    order = await node.readOrder(order.id);
    requests++;
  }
  return { order, ms: ms(), requests };
}

export function mustBeValid({ status, trouble }: Order): void {
  if (status !== "valid") throw new Error(`an order is ${status}: ${trouble?.detail}`);
}

export const label = (): string => `b${randomBytes(6).toString("hex")}`;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const rest = (): Promise<void> => sleep(restMs);
