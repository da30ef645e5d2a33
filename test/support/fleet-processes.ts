/** An edge, relays and nodes as processes of their own, which a test kills and starts again, and what their visitors get. */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorker } from "../../scripts/build-worker.ts";
import { readOrCreateLocalCa } from "../../scripts/local-ca.ts";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import type { NodeStatus } from "../../tee-bot/control/status.ts";
import { freePort, root, stopProcess } from "./postern.ts";

const startMs = 90_000;
const visitMs = 5_000;
const healthMs = 1_000;

export interface FleetOptions {
  zone?: string;
  /** Of the relays that the edge knows; each is started by itself. */
  labels: readonly string[];
  /** Settings of the edge, besides those of the fleet. */
  vars?: Readonly<Record<string, string>>;
}

export interface RunningRelay {
  readonly label: string;
  /** Its own name. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly privatePort: number;
  readonly child: ChildProcess;
}

export interface RunningRelayOptions {
  /** Where it listens: an address of loopback, and a free port unless said. */
  host?: string;
  port?: number;
  privatePort?: number;
  environment?: Readonly<Record<string, string>>;
}

export type Visited = Pick<RunningRelay, "host" | "port">;

export interface VisitAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Starts the edge; relays and nodes are started one by one. */
export async function startFleetProcesses(options: FleetOptions): Promise<FleetProcesses> {
  const fleet = new FleetProcesses(options);
  try {
    await fleet.startEdge();
    return fleet;
  } catch (error) {
    await fleet[Symbol.asyncDispose]();
    throw error;
  }
}

export class FleetProcesses implements AsyncDisposable {
  readonly #zone: string;
  readonly #options: FleetOptions;
  readonly #directory = mkdtempSync(join(tmpdir(), "postern-fleet-"));
  readonly #statuses = new Map<string, NodeStatus>();
  readonly #stack = new AsyncDisposableStack();
  #edge = "";
  #edgeProcess: ChildProcess | undefined;
  #ca = "";

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#zone = options.zone ?? "postern.localhost";
    this.#stack.defer(() => rmSync(this.#directory, { recursive: true, force: true }));
  }

  /** Its URL. */
  get edge(): string {
    return this.#edge;
  }

  /** At the address it had before, if it was there. */
  async startEdge(): Promise<void> {
    const { labels, vars } = this.#options;
    const keys = await Promise.all(labels.map((label) => readOrCreateIdentity(this.#identityOf(label), Date.now())));
    const caDirectory = join(this.#directory, "ca");
    this.#ca = (await readOrCreateLocalCa(caDirectory, this.#zone)).certificatePem;
    const port = this.#edge === "" ? await freePort() : Number(new URL(this.#edge).port);
    this.#edge = `http://127.0.0.1:${port}`;
    this.#edgeProcess = await this.#start("scripts/edge-process.ts", {
      environment: {
        EDGE_PORT: String(port),
        EDGE_STATE: join(this.#directory, "edge"),
        EDGE_BUNDLE: await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") }),
        EDGE_VARS: JSON.stringify({ ZONE: this.#zone, RELAY_KEYS: keys.map(({ id }) => id).join(","), ...vars }),
        EDGE_CA_DIR: caDirectory,
      },
    });
  }

  /** Ends it as kill -9 does. */
  async killEdge(): Promise<void> {
    if (this.#edgeProcess) await stopProcess(this.#edgeProcess, "SIGKILL");
  }

  /** Resolves when it says that it is ready. */
  async startRelay(label: string, options: RunningRelayOptions = {}): Promise<RunningRelay> {
    const { host = "127.0.0.1", port = await freePort(), privatePort = await freePort(), environment } = options;
    const name = `relay-${label}.${this.#zone}`;
    const child = await this.#start("relay/main.ts", {
      environment: {
        RELAY_EDGE_URL: this.#edge,
        RELAY_ZONE: this.#zone,
        RELAY_NAME: name,
        RELAY_LISTEN_HOST: host,
        RELAY_PUBLIC_HOST: host,
        RELAY_PORT: String(port),
        RELAY_PRIVATE_PORT: String(privatePort),
        RELAY_IDENTITY_FILE: this.#identityOf(label),
        RELAY_STATE_DIR: join(this.#directory, `relay-${label}`),
        ...environment,
      },
    });
    return { label, name, host, port, privatePort, child };
  }

  /** Resolves when it is healthy. */
  startNode(
    alias: string,
    args: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ChildProcess> {
    const flags = ["--edge", this.#edge, "--alias", alias, "--state", this.stateOf(alias), ...args];
    return this.#start("tee-bot/cli/main.ts", {
      args: ["start", ...flags, "--gateway-port", "0", "--control-port", "0"],
      environment,
      onStatus: (status) => this.#statuses.set(alias, status),
    });
  }

  /** Where the node keeps its state. */
  stateOf(alias: string): string {
    return join(this.#directory, `node-${alias}`);
  }

  /** What the node has told last. */
  status(alias: string): NodeStatus | undefined {
    return this.#statuses.get(alias);
  }

  /** Whether the node's tunnel to the relay is up. */
  isUp(alias: string, relay: Pick<RunningRelay, "name">): boolean {
    return this.status(alias)?.relays.some(({ name, up }) => up && name === relay.name) ?? false;
  }

  /** One request on a connection of its own; rejects unless the whole answer comes. */
  visit(alias: string, { host, port }: Visited, path = "/", timeout = visitMs): Promise<VisitAnswer> {
    const name = `${alias}.${this.#zone}`;
    const options = { host, port, servername: name, headers: { host: name }, ca: this.#ca, agent: false };
    return new Promise((resolve, reject) => {
      const request = get({ ...options, path, timeout }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      });
      request.once("timeout", () => request.destroy(new Error("timed out")));
      request.once("error", reject);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  #identityOf(label: string): string {
    return join(this.#directory, `relay-${label}.pem`);
  }

  /** Resolves once the process says that it is ready, a node when it is healthy. */
  async #start(script: string, { args = [], environment, onStatus }: StartOptions): Promise<ChildProcess> {
    const child = fork(join(root, script), args, {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, LOG_LEVEL: "error", ...environment },
    });
    this.#stack.defer(async () => void (await stopProcess(child, "SIGKILL")));
    await new Promise<void>((resolve, reject) => {
      setTimeout(() => reject(new Error(`${script} was not ready in time`)), startMs).unref();
      child.on("message", (message: { ready?: boolean; status?: NodeStatus }) => {
        if (message.status) onStatus?.(message.status);
        if (message.ready || message.status?.health.status === "healthy") resolve();
      });
      child.once("exit", (code) => reject(new Error(`${script} ended with exit code ${code}`)));
    });
    return child;
  }
}

interface StartOptions {
  args?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  onStatus?: (status: NodeStatus) => void;
}

/** What a relay says of itself to its operator. */
export async function healthOf({ privatePort }: RunningRelay): Promise<{ tunnels: number; others: number }> {
  const url = `http://127.0.0.1:${privatePort}/healthz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(healthMs) });
  return (await response.json()) as { tunnels: number; others: number };
}
