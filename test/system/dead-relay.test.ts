/**
 * One of three relays is killed while visitors come through the others. Heartbeats and leases are short here; with
 * SLOW=1 they are as they are by default, and DNS has a minute.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startCloudflareApi } from "../support/dns/cloudflare-api.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";
import { startFleetProcesses, type FleetProcesses, type RunningRelay } from "../support/fleet-processes.ts";
import { freePort, until } from "../support/postern.ts";
import { startService } from "../support/service.ts";

const zone = "postern.localhost";
const slow = Boolean(process.env["SLOW"]);
/** Until DNS names the dead relay no more. */
const limitMs = slow ? 60_000 : 30_000;
const timings: Record<string, string> = slow ? {} : { RELAY_HEARTBEAT_MS: "2000", LEASE_MS: "12000" };
const labels = ["a", "b", "c"];
const aliases = ["one", "two", "three"];
const visitEveryMs = 20;

const stack = new AsyncDisposableStack();
const relays: RunningRelay[] = [];
let fleet: FleetProcesses;
let store: ZoneStore;
let port: number;

beforeAll(async () => {
  store = new ZoneStore(zone);
  const api = stack.use(await startCloudflareApi(store));
  const service = stack.use(await startService());
  const dns = { DNS: "cloudflare", ZONE_ID: api.zoneId, CLOUDFLARE_API: api.url, CLOUDFLARE_API_TOKEN: api.token };
  fleet = stack.use(await startFleetProcesses({ zone, labels, vars: { ...dns, ...timings } }));
  port = await freePort();
  for (const [at, label] of labels.entries())
    relays.push(await fleet.startRelay(label, { host: `127.0.0.${at + 2}`, port }));
  for (const alias of aliases) await fleet.startNode(alias, ["--expose", service.url]);
});

afterAll(() => stack.disposeAsync());

/** Where DNS leads to now. */
function addressesOf(alias: string): string[] {
  const records = store.now().at(`${alias}.${zone}`);
  return records.filter(({ type }) => type === "A").map(({ content }) => content);
}

/** Relays on which a node has a tunnel. */
function tunnelsOf(alias: string): RunningRelay[] {
  return relays.filter((relay) => fleet.isUp(alias, relay));
}

it("a relay that is killed is left by DNS and by its nodes, and visitors of the others notice nothing", async () => {
  await until(() => aliases.every((alias) => addressesOf(alias).length === 2), 20_000, "DNS names two relays each");
  const [dead] = relays.toSorted((a, b) => countOf(b) - countOf(a));
  if (!dead) throw new Error("three relays were started");
  function countOf(relay: RunningRelay): number {
    return aliases.filter((alias) => fleet.isUp(alias, relay)).length;
  }
  const { host: address, child } = dead;
  expect(countOf(dead)).toBeGreaterThan(0);

  const failures: string[] = [];
  const visits: Promise<void>[] = [];
  const loading = setInterval(() => {
    const alias = aliases[visits.length % aliases.length] ?? "";
    const hosts = addressesOf(alias).filter((host) => host !== address);
    const host = hosts[(visits.length % 7) % hosts.length];
    if (host === undefined) return void failures.push(`DNS names no living relay for ${alias}`);
    const visited = fleet.visit(alias, { host, port }).then(
      ({ body }) => void (body.toString().startsWith("hello") || failures.push(`wrong answer: ${body.toString()}`)),
      (error: Error) => void failures.push(`${alias} at ${host}: ${error.message}`),
    );
    visits.push(visited);
  }, visitEveryMs);
  stack.defer(() => clearInterval(loading));
  await new Promise((resolve) => setTimeout(resolve, 1_000));

  const killedAt = performance.now();
  child.kill("SIGKILL");
  await until(() => aliases.every((alias) => !addressesOf(alias).includes(address)), limitMs, "DNS leaves it");
  const leftAfterMs = performance.now() - killedAt;
  await until(() => aliases.every((alias) => tunnelsOf(alias).length === 2), 20_000, "two tunnels each again");
  expect(aliases.flatMap(tunnelsOf)).not.toContain(dead);
  expect(aliases.every((alias) => addressesOf(alias).length === 2)).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  clearInterval(loading);
  await Promise.all(visits);

  expect(failures).toEqual([]);
  expect(visits.length).toBeGreaterThan(100);
  expect(leftAfterMs).toBeLessThan(limitMs);
});
