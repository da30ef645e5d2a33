/** Two relays are restarted one after the other, as an operator would, with other threads, while visitors keep coming. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { buildWorker } from "../../scripts/build-worker.ts";
import { readOrCreateLocalCa } from "../../scripts/local-ca.ts";
import { freePort, root, stopProcess, until } from "../support/postern.ts";
import { startService, type Service } from "../support/service.ts";

const zone = "postern.localhost";
const name = `rolling.${zone}`;
const visitTimeoutMs = 5_000;
const visitEveryMs = 10;
const streamEveryMs = 250;
/** With how many threads the relays are started again, each time that all are. */
const rounds = [2, 1];
/** How long clients remember where a name leads. */
const rememberedMs = 300;

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
let edge: string;
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

async function startRelay(label: string, port: number, privatePort: number, threads: number): Promise<RunningRelay> {
  const child = await start("relay/main.ts", [], {
    RELAY_EDGE_URL: edge,
    RELAY_ZONE: zone,
    RELAY_NAME: `relay-${label}.${zone}`,
    RELAY_LISTEN_HOST: "127.0.0.1",
    RELAY_PUBLIC_HOST: "127.0.0.1",
    RELAY_PORT: String(port),
    RELAY_PRIVATE_PORT: String(privatePort),
    RELAY_IDENTITY_FILE: join(directory, `relay-${label}.pem`),
    RELAY_STATE_DIR: join(directory, `relay-${label}`),
    RELAY_WORKERS: String(threads),
    RELAY_DRAIN_QUIET_MS: "500",
    RELAY_DRAIN_MS: "10000",
  });
  return { label, port, privatePort, child };
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "postern-rolling-"));
  const keys = await Promise.all(
    ["a", "b"].map((label) => readOrCreateIdentity(join(directory, `relay-${label}.pem`), Date.now())),
  );
  ca = (await readOrCreateLocalCa(join(directory, "ca"), zone)).certificatePem;
  service = await startService();
  const edgePort = await freePort();
  edge = `http://127.0.0.1:${edgePort}`;
  const vars = { ZONE: zone, RELAY_KEYS: keys.map(({ id }) => id).join(","), LEASE_MS: "3000" };
  await start("scripts/edge-process.ts", [], {
    EDGE_PORT: String(edgePort),
    EDGE_STATE: join(directory, "edge"),
    EDGE_BUNDLE: await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") }),
    EDGE_VARS: JSON.stringify(vars),
    EDGE_CA_DIR: join(directory, "ca"),
  });
  relays = await Promise.all(["a", "b"].map(async (label) => startRelay(label, await freePort(), await freePort(), 1)));
  const flags = ["--edge", edge, "--alias", "rolling", "--state", join(directory, "node"), "--expose", service.url];
  await start("tee-bot/cli/main.ts", ["start", ...flags, "--gateway-port", "0", "--control-port", "0"], {});
});

afterAll(async () => {
  for (const child of children.toReversed()) await stopProcess(child, "SIGKILL");
  await service?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

async function isReady({ privatePort }: RunningRelay): Promise<boolean> {
  const url = `http://127.0.0.1:${privatePort}/readyz`;
  return fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function tunnelsOf({ privatePort }: RunningRelay): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${privatePort}/healthz`);
  return ((await response.json()) as { tunnels: number }).tunnels;
}

/** One request on a connection of its own; rejects unless the whole answer comes. */
function visit(port: number, path: string, timeout = visitTimeoutMs): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, servername: name, headers: { host: name }, ca, agent: false };
    const request = get({ ...options, path, timeout }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("error", reject);
      response.once("end", () => resolve(body));
    });
    request.once("timeout", () => request.destroy(new Error("timed out")));
    request.once("error", reject);
  });
}

it(
  "rolling restarts of relays, of one thread or two, drop no new connection and cut no stream",
  {
    timeout: 120_000,
  },
  async () => {
    // The relays that the edge names for this node and that it has reached: DNS, which is never quicker than that.
    const lookUp = (): number[] =>
      relays
        .filter(({ label }) => status?.relays.some((relay) => relay.up && relay.name.startsWith(`relay-${label}.`)))
        .map(({ port }) => port);
    let named = lookUp();
    const looking = setInterval(() => (named = lookUp()), rememberedMs);
    const failures: string[] = [];
    const visits: Promise<void>[] = [];
    const visitsBy = new Map<number, number>();
    const send = (path: string, expected: (body: string) => boolean): void => {
      const port = named[visits.length % named.length];
      if (port === undefined) return void failures.push("no relay is ready");
      visitsBy.set(port, (visitsBy.get(port) ?? 0) + 1);
      const visited = visit(port, path).then(
        (body) => void (expected(body) || failures.push(`wrong answer: ${body}`)),
        (error: Error) => void failures.push(`${path}: ${error.message}`),
      );
      visits.push(visited);
    };
    const loading = setInterval(() => send("/", (body) => body.startsWith("hello")), visitEveryMs);
    const streaming = setInterval(
      () => send("/events?count=60&everyMs=50", (body) => body.match(/^data: /gm)?.length === 60),
      streamEveryMs,
    );

    const restart = async (at: number, threads: number): Promise<void> => {
      const { child, label, port, privatePort } = relays[at]!;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      expect(await exited).toEqual([0, null]);
      const restarted = await startRelay(label, port, privatePort, threads);
      relays[at] = restarted;
      await until(async () => (await isReady(restarted)) && (await tunnelsOf(restarted)) > 0, 20_000, "it is back");
    };
    for (const threads of rounds) for (const at of relays.keys()) await restart(at, threads);
    await new Promise((resolve) => setTimeout(resolve, 500));
    clearInterval(loading);
    clearInterval(streaming);
    clearInterval(looking);
    await Promise.all(visits);

    expect(failures).toEqual([]);
    expect(visits.length).toBeGreaterThan(500);
    for (const { port } of relays) expect(visitsBy.get(port)).toBeGreaterThan(100);
  },
);
