/** How large is the edge's bundle, and how much CPU does it take until it could answer? */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { projectRoot, quietEnvironment, wranglerProgram } from "../../scripts/wrangler.ts";

export interface WorkerStart {
  readonly bytes: number;
  readonly gzippedBytes: number;
  /** Of each start: what the sampling profiler saw, idling left out. */
  readonly cpuMs: readonly number[];
}

export const goalKibibytes = 600;
export const goalCpuMs = 60;
const checkMs = 60_000;

/** `bundle`: path of the same, built. */
export async function measureWorkerStart(bundle: string, starts: number): Promise<WorkerStart> {
  const directory = mkdtempSync(join(tmpdir(), "postern-bench-start-"));
  try {
    const cpuMs: number[] = [];
    for (let start = 0; start < starts; start++) {
      const outfile = join(directory, `${start}.cpuprofile`);
      // It builds by itself.
      await promisify(execFile)(process.execPath, [wranglerProgram, "check", "startup", "--outfile", outfile], {
        cwd: projectRoot,
        env: { ...process.env, ...quietEnvironment },
        timeout: checkMs,
      });
      cpuMs.push(activeMs(JSON.parse(readFileSync(outfile, "utf8")) as Profile));
    }
    const content = readFileSync(bundle);
    return { bytes: content.length, gzippedBytes: gzipSync(content).length, cpuMs };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string } }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

function activeMs({ nodes, samples, timeDeltas }: Profile): number {
  const idle = new Set(nodes.flatMap(({ id, callFrame }) => (callFrame.functionName === "(idle)" ? id : [])));
  return samples.reduce((sum, node, at) => sum + (idle.has(node) ? 0 : (timeDeltas[at] ?? 0)), 0) / 1000;
}
