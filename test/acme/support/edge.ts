/** A real edge in front of a certificate world: a process with state that lasts, that can be killed and started again. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorker } from "../../../scripts/build-worker.ts";
import type { CertificateWorld } from "../../support/acme/certificate-world.ts";
import { freePort, isAlive, processTree, root, until } from "../../support/postern.ts";

const program = join(root, "scripts/edge-process.ts");
const startTimeoutMs = 30_000;
const goneTimeoutMs = 5_000;
const maxLogCharacters = 256 << 10;

/** Where nodes are said to be; nobody visits them. */
export const relayAddress = "192.0.2.1";

export interface TestEdge extends AsyncDisposable {
  readonly url: string;
  /** What it has logged last. */
  log(): string;
  /** Ends it with all its processes as kill -9 does; what it has stored stays. */
  kill(): Promise<void>;
  /** Starts it again at the same port, with other settings where these are given. */
  start(changes?: Readonly<Record<string, string>>): Promise<void>;
}

/** `settings` are variables and secrets of the edge besides those that the world asks for. */
export async function startEdge(
  world: CertificateWorld,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestEdge> {
  const directory = mkdtempSync(join(tmpdir(), "postern-faults-"));
  const port = await freePort();
  const bundle = await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") });
  let vars: Record<string, string> = {
    ...world.edgeSettings,
    RELAY_ADDRESSES: relayAddress,
    LEASE_MS: "3600000",
    DNS_CALLS_PER_5_MIN: "1000000",
    ...settings,
  };
  let child: ChildProcess | undefined;
  let log = "";

  const edge: TestEdge = {
    url: `http://127.0.0.1:${port}`,
    log: () => log,
    async kill() {
      if (!child) return;
      const pids = processTree(child.pid ?? 0);
      for (const pid of pids) killIfThere(pid);
      await until(() => !pids.some(isAlive), goneTimeoutMs, "the edge is gone");
      child = undefined;
    },
    async start(changes = {}) {
      vars = { ...vars, ...changes };
      const started = fork(program, {
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        env: {
          ...process.env,
          EDGE_PORT: String(port),
          EDGE_STATE: join(directory, "state"),
          EDGE_BUNDLE: bundle,
          EDGE_VARS: JSON.stringify(vars),
          NODE_EXTRA_CA_CERTS: world.acmeCaPath,
          LOG_LEVEL: "info",
        },
      });
      child = started;
      for (const stream of [started.stdout, started.stderr])
        stream?.setEncoding("utf8").on("data", (text: string) => (log = (log + text).slice(-maxLogCharacters)));
      const ended = once(started, "exit").then(() => Promise.reject(new Error(`The edge ended:\n${log}`)));
      ended.catch(() => {}); // later it is killed on purpose
      await Promise.race([once(started, "message", { signal: AbortSignal.timeout(startTimeoutMs) }), ended]);
    },
    async [Symbol.asyncDispose]() {
      await edge.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  try {
    await edge.start();
  } catch (error) {
    await edge[Symbol.asyncDispose]();
    throw error;
  }
  return edge;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it ended with its parent
  }
}
