/** The life of a node at an edge, with the bill for each part of it. */
import type { BenchRelay } from "./bench-relay.ts";
import { createBenchCsr, createBenchNode } from "./bench-node.ts";
import { sumOf, type Bill, type Origins } from "./bill.ts";
import { Meter } from "./meter.ts";
import type { MeteredEdge } from "./metered-edge.ts";
import { label, mustBeValid, orderToEnd } from "../acme-orders.ts";
import type { CertificateWorld } from "../../support/acme/certificate-world.ts";

/** The edge's own choices: workers/config-schema.ts, workers/registry/lease.ts. */
const leaseMs = 90_000;
export const renewMs = leaseMs / 3;
/** Of a zone with one page of records. */
export const reconcileMs = 60_000;
export const heartbeatMs = 10_000;

const warmRenewals = 50;
/** Until the first looks at what is new are over. */
export const warmUpSteps = 20;
const maxStepsToRehearsal = 200;
/** In the time for which a nonce is remembered. */
const heartbeatsRemembered = 40;
const heartbeats = 20;
const othersInZone = 40;

export interface Life {
  readonly world: CertificateWorld;
  readonly origins: Origins;
  readonly relays: readonly BenchRelay[];
  /** Lease renewals in the part of a day that is measured. */
  readonly steps: number;
  /** The node's key. */
  readonly pem: string;
  /** The edge, with the state it had before. */
  readonly start: () => Promise<MeteredEdge>;
}

export async function beginLife({ origins, pem, relays, start }: Life) {
  await using edge = await start();
  const meter = new Meter(edge, origins);
  await Promise.all(relays.map((relay) => relay.beat(edge.url)));
  const node = await createBenchNode(edge.url, { pem });
  const registration = await meter.bill(() => node.register());
  const alias = await meter.bill(() => node.claim(label()));
  const { epoch, hostnames } = await node.register();
  const firstCertificate = await meter.bill(async () => {
    mustBeValid((await orderToEnd(node, await createBenchCsr(hostnames))).order);
  });
  const cpuBefore = edge.cpuSeconds();
  const renewals = await meter.bill(async () => {
    for (let renewal = 0; renewal < warmRenewals; renewal++) await node.renew(epoch);
  });
  return {
    epoch,
    registration,
    alias,
    firstCertificate,
    leaseRenewal: sumOf([[renewals, 1 / warmRenewals]]),
    cpuMsPerLeaseRenewal: (1000 * (edge.cpuSeconds() - cpuBefore)) / warmRenewals,
  };
}

/** After a restart, so that everything sleeps. */
export async function goOnLiving({ world, origins, relays, steps, pem, start }: Life, epoch: number) {
  await using edge = await start();
  const meter = new Meter(edge, origins);
  const node = await createBenchNode(edge.url, { pem, clock: edge.clock });
  const renew = (): Promise<unknown> => node.renew(epoch);
  const wakingRenewal = await meter.bill(renew);
  const step = async (): Promise<void> => {
    await edge.move(renewMs);
    await edge.settle();
    await renew();
  };
  await repeat(warmUpSteps, step);
  const part = await meter.bill(() => repeat(steps, step), isOfNode(origins));
  const hours = (steps * renewMs) / 3_600_000;
  const rehearsal = await rehearse(meter, step, await meter.bill(renew));
  const { hostnames } = await node.register();
  const certificateRenewal = await meter.bill(async () => {
    mustBeValid((await orderToEnd(node, await createBenchCsr(hostnames))).order);
  });
  if (world.proxy.orders.at(-1)?.replaces === undefined) throw new Error("the certificate replaces none by ARI");
  return {
    wakingRenewal,
    day: sumOf([[part, 24 / hours]]),
    dayHours: hours,
    rehearsal,
    certificateRenewal,
    ...(await measurePasses(meter, edge, { world, relays })),
    heartbeat: await measureHeartbeat(meter, edge, relays[0] as BenchRelay),
    nodeDatabaseBytes: Math.max(
      ...(await edge.sizes()).flatMap(({ name, databaseBytes }) => (name === "NodeObject" ? databaseBytes : [])),
    ),
  };
}

/** Without what the zone's object and the hub do for all nodes together, which {@link measurePasses} measures. */
function isOfNode({ dns }: Origins): (key: string) => boolean {
  const common = /^(alarms|alarms set|rows read|rows written|object ms) (DnsZone|RouteHub)$/;
  return (key) => !common.test(key) && !dns.some((origin) => key === `fetches ${origin}`);
}

async function repeat(times: number, step: () => Promise<void>): Promise<void> {
  for (let done = 1; done <= times; done++) {
    await step();
    if (done % 200 === 0) console.error(`  cost: ${done} of ${times} lease renewals`);
  }
}

/** The step of the clock in which it comes, less the lease renewal in it. */
async function rehearse(meter: Meter, step: () => Promise<void>, renewal: Bill): Promise<Bill> {
  for (let done = 0; done < maxStepsToRehearsal; done++) {
    const bill = await meter.bill(step);
    if (bill.caRequests > 5)
      return sumOf([
        [bill, 1],
        [renewal, -1],
      ]);
  }
  throw new Error("no renewal was rehearsed");
}

/** With the records of one node, and of many. */
async function measurePasses(meter: Meter, edge: MeteredEdge, { world, relays }: Pick<Life, "world" | "relays">) {
  const pass = (): Promise<Bill> =>
    meter.bill(
      () => edge.move(reconcileMs),
      (key) => key.endsWith(" DnsZone") || key === `fetches ${new URL(world.cloudflareApi).origin}`,
    );
  await edge.move(2 * leaseMs); // the node's lease ends, which is none of the zone's business
  const few = { records: world.store.size, bill: await pass() };
  await Promise.all(relays.map((relay) => relay.beat(edge.url, edge.clock)));
  for (let made = 0; made < othersInZone; made++) {
    const other = await createBenchNode(edge.url, { clock: edge.clock });
    await other.register();
    await other.claim(label());
  }
  await edge.settle();
  await edge.move(2 * leaseMs);
  const many = { records: world.store.size, bill: await pass() };
  const more = many.records - few.records;
  const passPerRecord = sumOf([
    [many.bill, 1 / more],
    [few.bill, -1 / more],
  ]);
  return {
    passPerRecord,
    passFixed: sumOf([
      [few.bill, 1],
      [passPerRecord, -few.records],
    ]),
    recordsPerNode: more / othersInZone,
  };
}

/** When there are as many nonces of earlier ones to be forgotten as there are new ones. */
async function measureHeartbeat(meter: Meter, edge: MeteredEdge, relay: BenchRelay): Promise<Bill> {
  const beat = async (): Promise<void> => {
    await edge.move(heartbeatMs);
    await edge.settle();
    await relay.beat(edge.url, edge.clock);
  };
  await repeat(heartbeatsRemembered, beat);
  const bill = await meter.bill(
    () => repeat(heartbeats, beat),
    (key) => / (RouteHub|RelayStatus)/.test(key) || key === "worker requests",
  );
  return sumOf([[bill, 1 / heartbeats]]);
}
