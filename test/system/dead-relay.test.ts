/**
 * One of three relays is killed while visitors come through the others. Heartbeats and leases are short here; with
 * SLOW=1 they are as they are by default, and DNS has a minute.
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildWorker } from "../../scripts/build-worker.ts";
import { readOrCreateLocalCa } from "../../scripts/local-ca.ts";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { startCloudflareApi } from "../support/dns/cloudflare-api.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";
import { freePort, root, stopProcess, until } from "../support/postern.ts";
import { startService } from "../support/service.ts";

const zone = "postern.localhost";
const slow = Boolean(process.env["SLOW"]);
/** Until DNS names the dead relay no more. */
const limitMs = slow ? 60_000 : 30_000;
const timings: Record<string, string> = slow ? {} : { RELAY_HEARTBEAT_MS: "2000", LEASE_MS: "12000" };
const labels = ["a", "b", "c"];
const aliases = ["one", "two", "three"];
const visitEveryMs = 20;
const visitTimeoutMs = 5_000;

interface NodeStatus {
  relays: { name: string; up: boolean }[];
  health: { status: string };
}

const stack = new AsyncDisposableStack();
const children: ChildProcess[] = [];
const relays = new Map<string, { address: string; child: ChildProcess }>();
const statuses = new Map<string, NodeStatus>();
let store: ZoneStore;
let port: number;
let ca: string;

/** Resolves once the process says that it is ready, a node when it is healthy. */
async function start(script: string, args: string[], env: Record<string, string>, label = ""): Promise<ChildProcess> {
  const child = fork(join(root, script), args, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, ...env, LOG_LEVEL: "error" },
  });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.on("message", (message: { ready?: boolean; status?: NodeStatus }) => {
      if (message.status) statuses.set(label, message.status);
      if (message.ready || message.status?.health.status === "healthy") resolve();
    });
    child.once("exit", (code) => reject(new Error(`${script} ended with exit code ${code}`)));
  });
  return child;
}

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "postern-dead-relay-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  store = new ZoneStore(zone);
  const api = stack.use(await startCloudflareApi(store));
  const service = stack.use(await startService());
  stack.defer(async () => {
    for (const child of children.toReversed()) await stopProcess(child, "SIGKILL");
  });
  const identities = labels.map((label) => readOrCreateIdentity(join(directory, `relay-${label}.pem`), Date.now()));
  const keys = (await Promise.all(identities)).map(({ id }) => id);
  ca = (await readOrCreateLocalCa(join(directory, "ca"), zone)).certificatePem;
  const edgePort = await freePort();
  const edge = `http://127.0.0.1:${edgePort}`;
  const dns = { DNS: "cloudflare", ZONE_ID: api.zoneId, CLOUDFLARE_API: api.url, CLOUDFLARE_API_TOKEN: api.token };
  await start("scripts/edge-process.ts", [], {
    EDGE_PORT: String(edgePort),
    EDGE_STATE: join(directory, "edge"),
    EDGE_BUNDLE: await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") }),
    EDGE_VARS: JSON.stringify({ ZONE: zone, RELAY_KEYS: keys.join(), ...dns, ...timings }),
    EDGE_CA_DIR: join(directory, "ca"),
  });
  port = await freePort();
  for (const [at, label] of labels.entries()) {
    const address = `127.0.0.${at + 2}`;
    const child = await start("relay/main.ts", [], {
      RELAY_EDGE_URL: edge,
      RELAY_ZONE: zone,
      RELAY_NAME: `relay-${label}.${zone}`,
      RELAY_LISTEN_HOST: address,
      RELAY_PUBLIC_HOST: address,
      RELAY_PORT: String(port),
      RELAY_PRIVATE_PORT: "0",
      RELAY_IDENTITY_FILE: join(directory, `relay-${label}.pem`),
    });
    relays.set(label, { address, child });
  }
  for (const alias of aliases) {
    const flags = ["--edge", edge, "--alias", alias, "--state", join(directory, alias), "--expose", service.url];
    const args = ["start", ...flags, "--gateway-port", "0", "--control-port", "0"];
    await start("tee-bot/cli/main.ts", args, {}, alias);
  }
});

afterAll(() => stack.disposeAsync());

/** Where DNS leads to now. */
function addressesOf(alias: string): string[] {
  const records = store.now().at(`${alias}.${zone}`);
  return records.filter(({ type }) => type === "A").map(({ content }) => content);
}

/** One request on a connection of its own; rejects unless the whole answer comes. */
function visit(alias: string, host: string): Promise<void> {
  const name = `${alias}.${zone}`;
  return new Promise((resolve, reject) => {
    const options = {
      host,
      port,
      servername: name,
      headers: { host: name },
      ca,
      agent: false,
      timeout: visitTimeoutMs,
    };
    const request = get(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("error", reject);
      response.once("end", () => (body.startsWith("hello") ? resolve() : reject(new Error(`wrong answer: ${body}`))));
    });
    request.once("timeout", () => request.destroy(new Error("timed out")));
    request.once("error", reject);
  });
}

/** Relays on which a node has a tunnel, by label. */
function tunnelsOf(alias: string): string[] {
  const up = statuses.get(alias)?.relays.filter((relay) => relay.up) ?? [];
  return labels.filter((label) => up.some(({ name }) => name.startsWith(`relay-${label}.`)));
}

it("a relay that is killed is left by DNS and by its nodes, and visitors of the others notice nothing", async () => {
  await until(() => aliases.every((alias) => addressesOf(alias).length === 2), 20_000, "DNS names two relays each");
  const [dead = ""] = labels.toSorted((a, b) => countOf(b) - countOf(a));
  function countOf(label: string): number {
    return aliases.filter((alias) => tunnelsOf(alias).includes(label)).length;
  }
  const { address, child } = relays.get(dead) ?? {};
  if (!address || !child) throw new Error("it was started");
  expect(countOf(dead)).toBeGreaterThan(0);

  const failures: string[] = [];
  const visits: Promise<void>[] = [];
  const loading = setInterval(() => {
    const alias = aliases[visits.length % aliases.length] ?? "";
    const hosts = addressesOf(alias).filter((host) => host !== address);
    const host = hosts[(visits.length % 7) % hosts.length];
    if (host === undefined) return void failures.push(`DNS names no living relay for ${alias}`);
    visits.push(
      visit(alias, host).catch((error: Error) => void failures.push(`${alias} at ${host}: ${error.message}`)),
    );
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
