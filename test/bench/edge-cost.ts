/** What does one node cost the edge, in the units that are billed? Counted for each thing that happens to a node. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wideLimits } from "./acme-orders.ts";
import { beginLife, goOnLiving, renewMs, warmUpSteps, type Life } from "./support/billed-life.ts";
import type { Bill } from "./support/bill.ts";
import { createBenchRelay } from "./support/bench-relay.ts";
import { startMeteredEdge } from "./support/metered-edge.ts";
import { generateIdentityPem } from "../../shared/nodejs/identity-file.ts";
import { startAcmeProxy } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld } from "../support/acme/certificate-world.ts";
import { startPebble } from "../support/acme/pebble.ts";

/** Each with all that follows from it by itself. */
export interface EdgeCost {
  readonly heartbeat: Bill;
  readonly registration: Bill;
  readonly alias: Bill;
  /** And the rehearsal of its renewal. */
  readonly firstCertificate: Bill;
  readonly leaseRenewal: Bill;
  /** The same when all objects sleep before. */
  readonly wakingRenewal: Bill;
  /** Of one node, awake; without what the zone's object does for all nodes together. */
  readonly day: Bill;
  /** How much of it was measured. */
  readonly dayHours: number;
  readonly certificateRenewal: Bill;
  readonly rehearsal: Bill;
  /** One comparison of the zone's records with those that are wanted. */
  readonly passFixed: Bill;
  readonly passPerRecord: Bill;
  readonly recordsPerNode: number;
  readonly nodeDatabaseBytes: number;
  /** Of the whole edge, Worker and objects. */
  readonly cpuMsPerLeaseRenewal: number;
}

export const relayCount = 2;
const dayMs = 86_400_000;

export async function measureEdgeCost(bundle: string, scale: number): Promise<EdgeCost> {
  const state = mkdtempSync(join(tmpdir(), "postern-bench-cost-"));
  try {
    await using world = await startCertificateWorld();
    await using stagingCa = await startPebble({ dnsServer: world.zoneServer.address, tls: world.pebble.tls });
    await using staging = await startAcmeProxy(stagingCa);
    staging.caaIdentities = world.proxy.caaIdentities;
    const [from, to] = [60, 62].map((days) => new Date(Date.now() + days * dayMs)) as [Date, Date];
    world.proxy.renewalInfo = () => ({ start: from, end: to });
    const relays = await Promise.all(
      Array.from({ length: relayCount }, (_, at) => createBenchRelay(at + 1, world.zone)),
    );
    const steps = Math.ceil((scale * dayMs) / renewMs);
    const vars = {
      ACME_LIMITS: wideLimits,
      ACME_STAGING_DIRECTORY: staging.directory,
      REHEARSAL_MS: String((2 * warmUpSteps + steps) * renewMs), // after the day that is measured
      RELAY_KEYS: relays.map(({ id }) => id).join(),
      RELAY_HEARTBEAT_MS: "600000", // one is enough until the relays have been named
    };
    const origins = {
      dns: [new URL(world.cloudflareApi).origin],
      doh: world.doh.map(({ url }) => new URL(url).origin),
      ca: [world.directory, staging.directory].map((url) => new URL(url).origin),
    };
    const life: Life = {
      world,
      origins,
      relays,
      steps,
      pem: generateIdentityPem(),
      start: () => startMeteredEdge({ bundle, world, state, vars }),
    };
    const { epoch, ...beginning } = await beginLife(life);
    return { ...beginning, ...(await goOnLiving(life, epoch)) };
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
