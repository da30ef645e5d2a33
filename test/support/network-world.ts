/**
 * Edge, two relays, a node and visitors as real processes, each on a host of its own in a network that a test may
 * damage. What the processes say of themselves is kept with the time at which they said it.
 */
import { execFile, fork, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildWorker } from "../../scripts/build-worker.ts";
import { readOrCreateLocalCa } from "../../scripts/local-ca.ts";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import type { NodeStatus } from "../../tee-bot/control/status.ts";
import { createNetwork, type Network } from "./namespaces.ts";
import { root, stopProcess, until } from "./postern.ts";

const zone = "postern.localhost";
const alias = "far";
const ports = { edge: 8787, relay: 8443, metrics: 9090 } as const;
const startMs = 60_000;
const visitMs = 20_000;

export type RelayHost = "relay-a" | "relay-b";
export const relayHosts: readonly RelayHost[] = ["relay-a", "relay-b"];

/** A line of a process's log. */
export interface LogLine extends Record<string, unknown> {
  readonly event: string;
  /** When it was read here, by `performance.now()`. */
  readonly at: number;
}

/** What became of one request on a connection of its own. */
export interface VisitResult {
  /** 0: no answer. */
  readonly status: number;
  /** curl's words when it went wrong. */
  readonly error: string;
  readonly ms: number;
  readonly bytesPerSecond: number;
}

/** An answer that goes on for as long as the test wants. */
export interface Stream {
  /** When each piece came. */
  readonly times: readonly number[];
  /** Resolves when it is over, with curl's exit code: 0 for a whole answer, 56 for a reset. */
  readonly ended: Promise<{ code: number | null; at: number }>;
  /** Ends the visitor's process; its host may still be there. */
  kill(): void;
}

export interface NetworkWorld extends AsyncDisposable {
  readonly network: Network;
  /** The service behind the name, where its own host reaches it. */
  readonly service: string;
  readonly status: NodeStatus | undefined;
  log(host: RelayHost | "node"): readonly LogLine[];
  /** The first line of this kind since `since`; throws when none comes in time. */
  logged(host: RelayHost | "node", event: string, since: number, timeoutMs: number): Promise<LogLine>;
  visit(relay: RelayHost, path?: string, timeoutMs?: number): Promise<VisitResult>;
  stream(relay: RelayHost, path: string): Stream;
  /** As the relay's metrics have it: the sum of the samples with this text in their labels. */
  metric(relay: RelayHost, name: string, labels?: string): number;
  /** Resolves when the node is healthy through every relay. */
  healthy(timeoutMs: number): Promise<number>;
}

export interface NetworkWorldOptions {
  /** Of both relays. */
  environment?: Readonly<Record<string, string>>;
  nodeEnvironment?: Readonly<Record<string, string>>;
  /** What runs as the node; it has its settings in the environment. */
  nodeScript?: string;
  /** Before anything runs. */
  prepare?: (network: Network) => void | Promise<void>;
}

export async function startNetworkWorld({
  environment = {},
  nodeEnvironment = {},
  nodeScript = "tee-bot/cli/main.ts",
  prepare,
}: NetworkWorldOptions = {}): Promise<NetworkWorld> {
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "postern-network-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const network = stack.use(createNetwork(["edge", ...relayHosts, "node", "visitor"]));
  await prepare?.(network);
  const logs = new Map<string, LogLine[]>();
  let status: NodeStatus | undefined;

  /** Starts a process on a host; resolves once it says that it is ready. */
  function start(host: string, script: string, args: readonly string[], env: Record<string, string>): Promise<unknown> {
    const [execPath, ...execArgv] = [...network.prefix(host), process.execPath];
    const child = fork(join(root, script), args, {
      execPath,
      execArgv,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, ...env },
    });
    stack.defer(async () => void (await stopProcess(child, "SIGKILL")));
    const lines: LogLine[] = logs.get(host) ?? [];
    logs.set(host, lines);
    let lastWords = "";
    for (const output of [child.stdout, child.stderr])
      createInterface({ input: output! }).on("line", (line) => {
        lastWords = `${lastWords}\n${line}`.slice(-2_000);
        if (line.startsWith("{")) lines.push({ ...(JSON.parse(line) as LogLine), at: performance.now() });
      });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${script} was not ready in time.${lastWords}`)), startMs);
      child.on("message", (message: { ready?: boolean; status?: NodeStatus }) => {
        status = message.status ?? status;
        if (message.ready || message.status) resolve((clearTimeout(timer), message));
      });
      child.once("exit", (code) => reject(new Error(`${script} ended with exit code ${code}.${lastWords}`)));
    });
  }

  const identityOf = (host: string): string => join(directory, `${host}.pem`);
  const keys = await Promise.all(relayHosts.map((host) => readOrCreateIdentity(identityOf(host), Date.now())));
  const { certificatePath } = await readOrCreateLocalCa(join(directory, "ca"), zone);
  const edge = `http://${network.address("edge")}:${ports.edge}`;
  network.publish("edge", ports.edge);
  await start("edge", "scripts/edge-process.ts", [], {
    EDGE_PORT: String(ports.edge),
    EDGE_STATE: join(directory, "edge"),
    EDGE_BUNDLE: await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") }),
    EDGE_VARS: JSON.stringify({ ZONE: zone, RELAY_KEYS: keys.map(({ id }) => id).join(",") }),
    EDGE_CA_DIR: join(directory, "ca"),
    LOG_LEVEL: "error",
  });
  const relayEnvironment = (host: RelayHost): Record<string, string> => ({
    RELAY_EDGE_URL: edge,
    RELAY_ZONE: zone,
    RELAY_PROBES: "off", // they would be the first visitors after each fault
    RELAY_NAME: `${host}.${zone}`,
    RELAY_LISTEN_HOST: "0.0.0.0",
    RELAY_PUBLIC_HOST: network.address(host),
    RELAY_PORT: String(ports.relay),
    RELAY_PRIVATE_PORT: String(ports.metrics),
    RELAY_IDENTITY_FILE: identityOf(host),
    LOG_LEVEL: "info",
    ...environment,
  });
  await Promise.all(relayHosts.map((host) => start(host, "relay/main.ts", [], relayEnvironment(host))));
  const service = (await start("node", "test/support/service-process.ts", [], {})) as { url: string };
  await start("node", nodeScript, ["start"], {
    POSTERN_EDGE: edge,
    POSTERN_ALIAS: alias,
    POSTERN_EXPOSE: service.url,
    POSTERN_STATE: join(directory, "node"),
    POSTERN_GATEWAY_PORT: "0",
    POSTERN_CONTROL_PORT: "0",
    LOG_LEVEL: "info",
    ...nodeEnvironment,
  });

  const curl = (relay: RelayHost, path: string): [string, string[]] => {
    const [program, ...prefix] = network.prefix("visitor");
    const name = `${alias}.${zone}`;
    const target = ["--resolve", `${name}:${ports.relay}:${network.address(relay)}`, "--cacert", certificatePath];
    return [program, [...prefix, "curl", "-sS", "-N", ...target, `https://${name}:${ports.relay}${path}`]];
  };
  const linesOf = (host: string): readonly LogLine[] => logs.get(host) ?? [];
  const healthy = (timeoutMs: number): Promise<number> =>
    until(() => status?.health.status === "healthy", timeoutMs, "the node is healthy");
  await healthy(startMs);
  const running = stack.move();
  return {
    network,
    service: service.url,
    get status() {
      return status;
    },
    log: linesOf,
    async logged(host, event, since, timeoutMs) {
      const find = (): LogLine | undefined => linesOf(host).find((line) => line.event === event && line.at >= since);
      await until(() => find() !== undefined, timeoutMs, `${event} in the log of ${host}`);
      return find()!;
    },
    visit(relay, path = "/", timeout = visitMs) {
      const [program, args] = curl(relay, path);
      const startedAt = performance.now();
      return new Promise((resolve) => {
        const options = { timeout, encoding: "utf8" as const };
        const words = "%{http_code} %{speed_download}";
        execFile(program, [...args, "-o", "/dev/null", "-w", words], options, (_, stdout, stderr) => {
          const [code = 0, bytesPerSecond = 0] = stdout.split(" ").map(Number);
          const error = stdout === "" ? `no end within ${timeout} ms` : stderr.trim();
          resolve({ status: code, error, ms: performance.now() - startedAt, bytesPerSecond });
        });
      });
    },
    stream(relay, path) {
      const child: ChildProcess = spawn(...curl(relay, path), { stdio: ["ignore", "pipe", "ignore"] });
      running.defer(() => void child.kill("SIGKILL"));
      const times: number[] = [];
      child.stdout!.on("data", () => times.push(performance.now()));
      const ended = new Promise<{ code: number | null; at: number }>((resolve) =>
        child.once("exit", (code) => resolve({ code, at: performance.now() })),
      );
      return { times, ended, kill: () => void child.kill("SIGKILL") };
    },
    metric(relay, name, labels = "") {
      const text = network.run(relay, "curl", ["-sS", "-m", "4", `http://127.0.0.1:${ports.metrics}/metrics`]);
      const ofName = text.split("\n").filter((line) => line.startsWith(`postern_relay_${name}`));
      const samples = ofName.filter((line) => line.includes(labels));
      return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
    healthy,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
