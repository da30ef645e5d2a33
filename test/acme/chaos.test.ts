/** Everything at once: nodes order while the edge is killed again and again and everybody else answers wrong. */
import { expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../../shared/clock.ts";
import type { Order } from "../../shared/registry/messages.ts";
import { acmeFault } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld } from "../support/acme/certificate-world.ts";
import { cloudflareFault } from "../support/dns/cloudflare-api.ts";
import type { Fault, Faults } from "../support/faults.ts";
import { until } from "../support/postern.ts";
import { startEdge } from "./support/edge.ts";
import { startNode, type TestNode } from "./support/node.ts";
import { challengesIn, issuedTo } from "./support/traces.ts";

const nodeCount = 12;
const kills = process.env["SLOW"] ? 40 : 6;
const patienceMs = 120_000;

const caFaults: readonly Fault[] = [
  acmeFault("serverInternal", 503),
  { kind: "drop", when: "before" },
  { kind: "drop", when: "after" },
  { kind: "delay", ms: 150 },
];
const dnsFaults: readonly Fault[] = [cloudflareFault(503), { kind: "drop", when: "after" }, { kind: "delay", ms: 150 }];

/** Every so many requests of this kind one of the faults, in turn. */
function injectSome(faults: Faults, pattern: string, of: readonly Fault[]): void {
  of.forEach((fault, at) => faults.inject(pattern, fault, { skip: 2 + at, times: 1 }));
}

test(
  "no order is lost or doubled, and nothing is left, whatever happens while many are under way",
  { timeout: 240_000 },
  async () => {
    await using world = await startCertificateWorld({ pebble: { nonceReject: 10 } });
    await using edge = await startEdge(world);
    const nodes = await Promise.all(Array.from({ length: nodeCount }, () => startNode(edge)));
    await Promise.all(nodes.map((node, at) => node.client.request("PUT", `/v1/aliases/chaos-${at}`, z.unknown())));
    const names = (node: TestNode, at: number): string[] => [`chaos-${at}.${world.zone}`, node.name];
    const csrs = await Promise.all(nodes.map((node, at) => node.csr(names(node, at))));
    for (const kind of ["newOrder", "authz", "POST challenge", "order", "finalize", "certificate"])
      injectSome(world.proxy.faults, kind, caFaults);
    injectSome(world.api.faults, "POST /dns_records/batch", dnsFaults);

    const ended = Promise.all(nodes.map((node, at) => follow(node, csrs[at] ?? "")));
    for (let kill = 0; kill < kills; kill++) {
      await systemClock.sleep(100 + 150 * (kill % 5)); // somewhere amid the steps of one or the other
      await edge.kill();
      await edge.start();
    }
    const orders = await ended;
    expect(orders.map(({ status }) => status)).toEqual(nodes.map(() => "valid"));
    expect(new Set(orders.map(({ id }) => id)).size).toBe(nodeCount);
    for (const node of nodes) expect(issuedTo(world, node)).toHaveLength(1);
    await until(() => challengesIn(world).length === 0, patienceMs, "no challenge is left");
    for (const node of nodes) expect((await node.view()).certificates).toHaveLength(1);
  },
);

/** As a node does: the same request until it is answered, then questions about the order. */
async function follow(node: TestNode, csr: string): Promise<Order> {
  for (const deadline = Date.now() + patienceMs; ;) {
    try {
      const { id } = await node.order(csr);
      return await node.follow({ id }, ({ status }) => status !== "processing", patienceMs);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await systemClock.sleep(100);
    }
  }
}
