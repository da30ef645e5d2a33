/** Do a hundred nodes that order at the same moment all get their certificates from one edge, and what does it take? */
import { mustBeValid, orderToEnd, label, wideLimits } from "./acme-orders.ts";
import { startBenchEdge } from "./support/bench-edge.ts";
import { createBenchCsr, createBenchNode } from "./support/bench-node.ts";
import { readCpuSeconds } from "./support/proc.ts";
import { startCertificateWorld } from "../support/acme/certificate-world.ts";

export interface OrdersInFlight {
  readonly nodes: number;
  /** From the first request until the last node has its certificate. */
  readonly seconds: number;
  /** Of each node, as it sees it. */
  readonly orderMs: readonly number[];
  readonly edgeCpuSeconds: number;
  /** Of the CA, and of this process, which is DNS, Cloudflare, proxy and all the nodes. */
  readonly caCpuSeconds: number;
  readonly worldCpuSeconds: number;
  readonly caRequests: number;
  readonly dnsCalls: number;
  readonly edgeRequests: number;
  /** Lines of the edge's log at warn or error. */
  readonly complaints: readonly string[];
}

/** In this order a few at a time: each makes an object with a database of its own. */
const registeringAtOnce = 10;

export async function measureOrdersInFlight(bundle: string, nodes: number): Promise<OrdersInFlight> {
  await using world = await startCertificateWorld();
  await using edge = await startBenchEdge({ bundle, world, vars: { ACME_LIMITS: wideLimits } });
  const complaints: string[] = [];
  edge.onLine(({ level, event }) => void ((level === "warn" || level === "error") && complaints.push(event)));

  const ready: { readonly order: () => ReturnType<typeof orderToEnd> }[] = [];
  for (let made = 0; made < nodes; made += registeringAtOnce) {
    const some = Array.from({ length: Math.min(registeringAtOnce, nodes - made) }, async () => {
      const node = await createBenchNode(edge.url);
      await node.register();
      await node.claim(label());
      const csr = await createBenchCsr((await node.register()).hostnames);
      return { order: () => orderToEnd(node, csr) };
    });
    ready.push(...(await Promise.all(some)));
  }

  const read = () => ({
    time: performance.now(),
    edge: edge.cpuSeconds(),
    ca: readCpuSeconds(world.pebble.pid),
    world: process.cpuUsage(),
    caRequests: world.proxy.faults.seen.length,
    dnsCalls: world.api.faults.seen.length,
  });
  const before = read();
  const ends = await Promise.all(ready.map(({ order }) => order()));
  const after = read();
  for (const { order } of ends) mustBeValid(order);
  const cpu = process.cpuUsage(before.world);
  return {
    nodes,
    seconds: (after.time - before.time) / 1000,
    orderMs: ends.map(({ ms }) => ms),
    edgeCpuSeconds: after.edge - before.edge,
    caCpuSeconds: after.ca - before.ca,
    worldCpuSeconds: (cpu.user + cpu.system) / 1e6,
    caRequests: after.caRequests - before.caRequests,
    dnsCalls: after.dnsCalls - before.dnsCalls,
    edgeRequests: ends.reduce((sum, { requests }) => sum + requests, 0),
    complaints,
  };
}
