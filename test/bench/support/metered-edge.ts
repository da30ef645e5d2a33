/** An edge whose bill can be read, and whose clock can be moved: test/bench/edge/counting-edge.ts as a process. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { startBenchEdge, type BenchEdge, type BenchEdgeOptions } from "./bench-edge.ts";
import { projectRoot, quietEnvironment, wranglerProgram } from "../../../scripts/wrangler.ts";
import { systemClock, type Clock } from "../../../shared/clock.ts";

export type Counts = Readonly<Record<string, number>>;

export interface Size {
  /** Class of the object. */
  readonly name: string;
  readonly databaseBytes: number;
}

export interface MeteredEdge extends BenchEdge {
  /** As the edge has it. */
  readonly clock: Clock;
  read(): Promise<Counts>;
  sizes(): Promise<Size[]>;
  /** Moves the clock; alarms that were to come meanwhile come now. */
  move(ms: number): Promise<void>;
  /** Resolves when no alarm is running or due soon. */
  settle(): Promise<void>;
}

const buildMs = 120_000;
const settleMs = 60_000;
const soonMs = 1_500;
const lookMs = 10;

/** Path of the bundle. */
export async function buildMeteredEdge(outDir: string): Promise<string> {
  const entry = "test/bench/edge/counting-edge.ts";
  await promisify(execFile)(process.execPath, [wranglerProgram, "deploy", entry, "--dry-run", "--outdir", outDir], {
    cwd: projectRoot,
    env: { ...process.env, ...quietEnvironment },
    timeout: buildMs,
  });
  return join(outDir, "counting-edge.js");
}

export async function startMeteredEdge(options: BenchEdgeOptions): Promise<MeteredEdge> {
  const edge = await startBenchEdge(options);
  let aheadMs = 0;
  const ask = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${edge.url}${path}`, { signal: AbortSignal.timeout(settleMs) });
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
    return (await answer.json()) as T;
  };
  return {
    ...edge,
    clock: { ...systemClock, now: () => Date.now() + aheadMs },
    read: () => ask("/__counters"),
    sizes: () => ask("/__sizes"),
    async move(ms) {
      aheadMs += ms;
      await ask(`/__clock?ms=${ms}`);
    },
    async settle() {
      const deadline = Date.now() + settleMs;
      while (!(await ask<boolean>(`/__settled?ms=${soonMs}`))) {
        if (Date.now() > deadline) throw new Error("the edge does not come to rest");
        await systemClock.sleep(lookMs);
      }
    },
  };
}
