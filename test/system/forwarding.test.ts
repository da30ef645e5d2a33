/** Three relays, a node with tunnels to two of them, and every visitor at the third. */
import { fork, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { buildWorker } from "../../scripts/build-worker.ts";
import { readOrCreateLocalCa } from "../../scripts/local-ca.ts";
import { freePort, root, stopProcess, until } from "../support/postern.ts";
import { hashOfBytes, startService, type Service } from "../support/service.ts";

const zone = "postern.localhost";
const name = `elsewhere.${zone}`;
const labels = ["a", "b", "c"];
const visitTimeoutMs = 10_000;
const visitEveryMs = 20;
/** How long a killed process may seem to be there: what was on the way to it when it died is lost. */
const deathMs = 250;

interface NodeStatus {
  relays: { name: string; up: boolean }[];
  health: { status: string };
}

interface RunningRelay {
  label: string;
  port: number;
  privatePort: number;
  child: ChildProcess;
}

const children: ChildProcess[] = [];
let directory: string;
let ca: string;
let service: Service;
let relays: RunningRelay[];
let status: NodeStatus | undefined;

async function start(script: string, args: string[], env: Record<string, string>): Promise<ChildProcess> {
  const child = fork(join(root, script), args, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, ...env, LOG_LEVEL: "error" },
  });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.on("message", (message: { ready?: boolean; status?: NodeStatus }) => {
      status = message.status ?? status;
      if (message.ready || message.status?.health.status === "healthy") resolve();
    });
    child.once("exit", (code) => reject(new Error(`${script} ended with exit code ${code}`)));
  });
  return child;
}

async function startRelay(label: string, edge: string): Promise<RunningRelay> {
  const [port, privatePort] = [await freePort(), await freePort()];
  const child = await start("relay/main.ts", [], {
    RELAY_EDGE_URL: edge,
    RELAY_ZONE: zone,
    RELAY_NAME: `relay-${label}.${zone}`,
    RELAY_LISTEN_HOST: "127.0.0.1",
    RELAY_PUBLIC_HOST: "127.0.0.1",
    RELAY_PORT: String(port),
    RELAY_PRIVATE_PORT: String(privatePort),
    RELAY_IDENTITY_FILE: join(directory, `relay-${label}.pem`),
  });
  return { label, port, privatePort, child };
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "postern-forwarding-"));
  const keys = await Promise.all(
    labels.map((label) => readOrCreateIdentity(join(directory, `relay-${label}.pem`), Date.now())),
  );
  ca = (await readOrCreateLocalCa(join(directory, "ca"), zone)).certificatePem;
  service = await startService();
  const edgePort = await freePort();
  const edge = `http://127.0.0.1:${edgePort}`;
  await start("scripts/edge-process.ts", [], {
    EDGE_PORT: String(edgePort),
    EDGE_STATE: join(directory, "edge"),
    EDGE_BUNDLE: await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") }),
    EDGE_VARS: JSON.stringify({
      ZONE: zone,
      RELAY_KEYS: keys.map(({ id }) => id).join(","),
      RELAY_HEARTBEAT_MS: "1000",
    }),
    EDGE_CA_DIR: join(directory, "ca"),
  });
  relays = await Promise.all(labels.map((label) => startRelay(label, edge)));
  const flags = ["--edge", edge, "--alias", "elsewhere", "--state", join(directory, "node"), "--expose", service.url];
  await start("tee-bot/cli/main.ts", ["start", ...flags, "--gateway-port", "0", "--control-port", "0"], {});
  await until(async () => (await othersOf(entry())) === 2, 20_000, "the relays know each other");
});

afterAll(async () => {
  for (const child of children.toReversed()) await stopProcess(child, "SIGKILL");
  await service?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function hasTunnel({ label }: RunningRelay): boolean {
  return status?.relays.some((relay) => relay.name.startsWith(`relay-${label}.`)) ?? false;
}

/** The relay without the node. */
function entry(): RunningRelay {
  const [found, ...more] = relays.filter((relay) => !hasTunnel(relay));
  if (!found || more.length > 0) throw new Error("The node has tunnels to two of the three relays.");
  return found;
}

async function othersOf({ privatePort }: RunningRelay): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${privatePort}/healthz`);
  return ((await response.json()) as { others: number }).others;
}

async function served({ privatePort }: RunningRelay, direction: "in" | "out"): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${privatePort}/metrics`)).text();
  const sample = `postern_relay_forwarded_total{direction="${direction}",outcome="served"} `;
  const line = text.split("\n").find((one) => one.startsWith(sample));
  return line ? Number(line.slice(sample.length)) : 0;
}

/** One request on a connection of its own; rejects unless the whole answer comes. */
function visit(port: number, path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, servername: name, headers: { host: name }, ca, agent: false };
    const request = get({ ...options, path, timeout: visitTimeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => resolve(Buffer.concat(chunks)));
    });
    request.once("timeout", () => request.destroy(new Error("timed out")));
    request.once("error", reject);
  });
}

it("carries what visitors ask for through a relay without the node", async () => {
  const { port } = entry();
  const bodies = await Promise.all(Array.from({ length: 3 }, () => visit(port, "/bytes?mib=16")));
  const hashes = bodies.map((body) => createHash("sha256").update(body).digest("hex"));
  expect(hashes).toEqual(hashes.map(() => hashOfBytes(16)));
  expect(await served(entry(), "out")).toBeGreaterThanOrEqual(3);
});

it("serves every new visitor while a relay that has the node is killed", { timeout: 60_000 }, async () => {
  const third = entry();
  const [doomed, left] = relays.filter((relay) => relay !== third);
  if (!doomed || !left) throw new Error("The node has tunnels to two of the three relays.");
  let killedAt = Number.POSITIVE_INFINITY;
  const failures: string[] = [];
  const visits: Promise<void>[] = [];
  const loading = setInterval(() => {
    const startedAt = performance.now();
    const visited = visit(third.port, "/").then(
      (body) => void (body.toString().startsWith("hello") || failures.push(`wrong answer: ${body.toString()}`)),
      (error: Error) => {
        // Who was on the way through the killed relay is lost with it.
        if (performance.now() < killedAt || startedAt > killedAt + deathMs) failures.push(error.message);
      },
    );
    visits.push(visited);
  }, visitEveryMs);

  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const before = await Promise.all([served(doomed, "in"), served(left, "in")]);
  for (const count of before) expect(count).toBeGreaterThan(10);
  killedAt = performance.now();
  await stopProcess(doomed.child, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  clearInterval(loading);
  await Promise.all(visits);
  expect(failures).toEqual([]);
  expect(visits.length).toBeGreaterThan(100);
  expect(await served(left, "in")).toBeGreaterThan((before[1] ?? 0) + 10);
});
