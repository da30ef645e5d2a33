/** The edge as a process of its own, as `npm start` runs it, and nodes that order at it. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readCpuSeconds } from "./proc.ts";
import type { CertificateWorld } from "../../support/acme/certificate-world.ts";
import { processTree, root, stopProcess } from "../../support/postern.ts";

export interface BenchEdge extends AsyncDisposable {
  readonly url: string;
  /** The lines of its log as they come, read from JSON; returns what stops it. */
  onLine(listen: (line: LogLine) => void): () => void;
  /** CPU seconds used so far by Miniflare and workerd. */
  cpuSeconds(): number;
}

export interface LogLine {
  readonly event: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

const startMs = 20_000;

export interface BenchEdgeOptions {
  readonly bundle: string;
  readonly world: CertificateWorld;
  /** Settings besides those of the world. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Where it keeps its state: a directory that is gone when it ends, unless said. */
  readonly state?: string;
}

export async function startBenchEdge(options: BenchEdgeOptions): Promise<BenchEdge> {
  const { bundle, world, vars = {} } = options;
  const state = options.state ?? mkdtempSync(join(tmpdir(), "postern-bench-edge-"));
  const end = async (): Promise<void> => {
    await stopProcess(child, "SIGTERM");
    if (options.state === undefined) rmSync(state, { recursive: true, force: true });
  };
  const child = fork(join(root, "scripts/edge-process.ts"), {
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: world.acmeCaPath,
      EDGE_PORT: "0",
      EDGE_STATE: state,
      EDGE_BUNDLE: bundle,
      EDGE_VARS: JSON.stringify({ ...world.edgeSettings, ...vars }),
      LOG_LEVEL: "info",
    },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const listeners = new Set<(line: LogLine) => void>();
  if (child.stdout) createInterface(child.stdout).on("line", (text) => tell(listeners, text));
  try {
    const port = await portOf(child);
    return {
      url: `http://127.0.0.1:${port}`,
      onLine(listen) {
        listeners.add(listen);
        return () => void listeners.delete(listen);
      },
      cpuSeconds: () => processTree(child.pid ?? 0).reduce((sum, pid) => sum + readCpuSeconds(pid), 0),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the edge ended before it was ready")));
  const [message] = (await Promise.race([once(child, "message", { signal: AbortSignal.timeout(startMs) }), ended])) as [
    { port: number },
  ];
  ended.catch(() => {});
  return message.port;
}

function tell(listeners: ReadonlySet<(line: LogLine) => void>, text: string): void {
  if (!text.startsWith("{")) {
    console.error(`  edge: ${text}`); // not of its log: something is wrong
    return;
  }
  const line = JSON.parse(text) as LogLine;
  for (const listen of listeners) listen(line);
}
