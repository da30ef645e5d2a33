/**
 * `npm run bench`: Postern beside HAProxy, `ssh -R` and no relay at all, its gateway beside Portkey and a bare proxy, its
 * certificate orders beside the CA alone, what a node costs the edge, what a quote costs its verifier, what the Signal bot
 * adds to an answer, and how soon it has stored a message, on this machine.
 *
 *   BENCH_REPS   rounds over all ways (default 3); orders and starts have five times as many
 *   BENCH_SCALE  share of the full length of each measurement, for a quick look (default 1)
 *   BENCH_ONLY   some of: bulk1,bulk16,requests,connections,paced,fairness,idle,routes,workers,distance,
 *                gateway-json,gateway-burst,gateway-added,gateway-first-token,gateway-memory,orders,flight,start,cost,
 *                attestation-verify,attestation-endpoint,signal-overhead,signal-webhook
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { measureOrderTimes } from "./acme-orders.ts";
import { formatEndpoint, measureEndpoint } from "./attestation-endpoint.ts";
import { measureVerification } from "./attestation-verify.ts";
import { measureBulk } from "./bulk.ts";
import { measureConnections } from "./connections.ts";
import { measureDistance } from "./distance.ts";
import { measureEdgeCost } from "./edge-cost.ts";
import { measureFairness } from "./fairness.ts";
import { measureAdded } from "./gateway/added.ts";
import { measureFirstToken } from "./gateway/first-token.ts";
import type { GatewayBench } from "./gateway/measure.ts";
import { measureMemory } from "./gateway/memory.ts";
import { measureBurst, measureJson } from "./gateway/rates.ts";
import { startWays as startGatewayWays } from "./gateway/ways.ts";
import { measureIdleVisitors, type IdleRow } from "./idle-visitors.ts";
import { measureOrdersInFlight } from "./orders-in-flight.ts";
import { measurePaced } from "./paced.ts";
import { measureRequests } from "./requests.ts";
import { measureRoutes } from "./routes.ts";
import { formatCost } from "./support/cost-table.ts";
import type { Bench } from "./support/measure.ts";
import { buildMeteredEdge } from "./support/metered-edge.ts";
import { formatOrdersInFlight, formatOrderTimes } from "./support/order-table.ts";
import { formatWorkerStart } from "./support/start-table.ts";
import { formatIdle, formatRow } from "./support/table.ts";
import { formatVerification } from "./support/verification-table.ts";
import { buildLoadClient, compiler, installTools, relayTools, versionOf } from "./support/tools.ts";
import { startWays } from "./support/ways.ts";
import { formatOverhead, measureOverhead } from "./signal-overhead.ts";
import { measureWebhook } from "./signal-webhook.ts";
import { measureWorkerStart } from "./worker-start.ts";
import { measureWorkers } from "./workers.ts";
import { buildWorker } from "../../scripts/build-worker.ts";
import { errorText } from "../../shared/errors.ts";
import { ensurePrograms } from "../../scripts/system-packages.ts";

/** Asked of all ways at once. */
const traffic = {
  bulk1: async (bench: Bench) => formatRow(await measureBulk(bench, 1)),
  bulk16: async (bench: Bench) => formatRow(await measureBulk(bench, 16)),
  requests: async (bench: Bench) => formatRow(await measureRequests(bench)),
  connections: async (bench: Bench) => formatRow(await measureConnections(bench)),
  paced: measurePaced,
  fairness: measureFairness,
  idle: async (bench: Bench) => {
    const rows: IdleRow[] = [];
    for (let repetition = 0; repetition < bench.repetitions; repetition++) {
      // A process that has had visitors before keeps memory of them, which would hide what new ones cost.
      await using ways = await startWays(directory);
      for (const way of ["haproxy", "pool", "tls", "http2"] as const)
        rows.push(await measureIdleVisitors({ ...bench, ways }, way));
    }
    return formatIdle(rows);
  },
};

/** Asked of a relay alone. */
const relays = {
  routes: () => measureRoutes(repetitions, scale),
  workers: () => measureWorkers(directory, buildLoadClient(directory), repetitions, scale),
  distance: () => measureDistance(directory, repetitions, scale),
};

/** Asked of all ways to a provider at once. */
const gateways = {
  "gateway-json": measureJson,
  "gateway-burst": measureBurst,
  "gateway-added": measureAdded,
  "gateway-first-token": measureFirstToken,
  "gateway-memory": async (bench: GatewayBench) => {
    await using fresh = await startGatewayWays(join(directory, "gateway-memory"));
    return await measureMemory({ ...bench, ways: fresh });
  },
};

/** Asked of an edge. */
const certificates = {
  orders: async () => formatOrderTimes(await measureOrderTimes(await buildEdge(), 5 * repetitions)),
  flight: async () => formatOrdersInFlight(await measureOrdersInFlight(await buildEdge(), Math.ceil(100 * scale))),
  start: async () => formatWorkerStart(await measureWorkerStart(await buildEdge(), 5 * repetitions)),
  cost: async () => formatCost(await measureEdgeCost(await buildMeteredEdge(join(directory, "metered")), scale)),
};

/** Asked of nobody else. */
const alone = {
  "attestation-endpoint": async () => formatEndpoint(await measureEndpoint(repetitions, scale)),
  "signal-overhead": async () => formatOverhead(await measureOverhead(repetitions, scale)),
  "signal-webhook": () => measureWebhook(directory, scale),
  "attestation-verify": async () => formatVerification(await measureVerification(Math.ceil(20 * repetitions * scale))),
};

type Question =
  | keyof typeof traffic
  | keyof typeof relays
  | keyof typeof gateways
  | keyof typeof certificates
  | keyof typeof alone;

const repetitions = readNumber("BENCH_REPS", 3, 1, 100);
const scale = readNumber("BENCH_SCALE", 1, 0.01, 10);
const chosen = readChoice();

const directory = mkdtempSync(join(tmpdir(), "postern-bench-"));
try {
  console.log(about());
  await answerTraffic();
  await answerRelays();
  await answerGateways();
  await answerEdge();
  await answerAlone();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function answerTraffic(): Promise<void> {
  const names = keysOf(traffic).filter((name) => chosen.has(name));
  if (names.length === 0) return;
  installTools(relayTools);
  const client = buildLoadClient(directory);
  await using ways = await startWays(directory);
  console.log(`\n${versionOf("haproxy", "-v")}; ${versionOf("openssl", "version")}`);
  for (const name of names) await answer(name, () => traffic[name]({ client, ways, repetitions, scale }));
}

async function answerRelays(): Promise<void> {
  for (const name of keysOf(relays)) if (chosen.has(name)) await answer(name, relays[name]);
}

async function answerGateways(): Promise<void> {
  const names = keysOf(gateways).filter((name) => chosen.has(name));
  if (names.length === 0) return;
  installTools(compiler);
  await using ways = await startGatewayWays(join(directory, "gateway"));
  for (const name of names) await answer(name, () => gateways[name]({ ways, repetitions, scale }));
}

async function answerEdge(): Promise<void> {
  const names = keysOf(certificates).filter((name) => chosen.has(name));
  if (names.length > 0) ensurePrograms([{ program: "pebble", debianPackage: "pebble" }]);
  for (const name of names) await answer(name, certificates[name]);
}

async function answerAlone(): Promise<void> {
  for (const name of keysOf(alone)) if (chosen.has(name)) await answer(name, alone[name]);
}

/** Prints each answer as it comes; a question that fails costs none of the others. */
async function answer(question: Question, ask: () => Promise<string>): Promise<void> {
  try {
    console.log(`\n${await ask()}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`\n${question}: not answered, ${errorText(error)}`);
  }
}

function buildEdge(): Promise<string> {
  return buildWorker({ outDir: join(directory, "edge") });
}

function about(): string {
  const commit = execFileSync("git", ["log", "-1", "--format=%h"], { encoding: "utf8" }).trim();
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores`;
  return `${machine}; commit ${commit}; Node ${process.version}; ${repetitions} repetitions`;
}

function readNumber(name: string, fallback: number, min: number, max: number): number {
  const value = Number(process.env[name] ?? fallback);
  if (value >= min && value <= max) return value;
  console.error(`${name} is a number from ${min} to ${max}.`);
  return process.exit(2);
}

function readChoice(): ReadonlySet<Question> {
  const known = [...keysOf(traffic), ...keysOf(relays), ...keysOf(gateways), ...keysOf(certificates), ...keysOf(alone)];
  const asked: readonly string[] = process.env["BENCH_ONLY"]?.split(",") ?? known;
  const choice = new Set(known.filter((name) => asked.includes(name)));
  if (choice.size === new Set(asked).size) return choice;
  console.error(`BENCH_ONLY is some of ${known.join(",")}.`);
  return process.exit(2);
}

function keysOf<T extends object>(of: T): (keyof T)[] {
  return Object.keys(of) as (keyof T)[];
}
