/**
 * Measures every way in turn, then all again: what else runs on the machine disturbs them alike, and the ratio of
 * medians says more than any figure by itself.
 */
import { availableParallelism } from "node:os";
import { readCpuSeconds, readMachineCpuSeconds } from "../support/proc.ts";
import { runLoad, type Load, type LoadResult } from "./load.ts";
import type { Way, WayName, Ways } from "./ways.ts";

export interface GatewayBench {
  readonly ways: Ways;
  readonly repetitions: number;
  /** Shortens every measurement, for a quick look. */
  readonly scale: number;
}

export interface Sample extends LoadResult {
  readonly perSecond: number;
  /** Of what stands in between, for one exchange; of paced streams, for one event. */
  readonly cpuMicroseconds: number;
  /** Shares of one core: of what stands in between, and of load client and upstream together. Near 1, that is the limit. */
  readonly proxyShare: number;
  readonly loadShare: number;
  /** Share of the machine that went to processes of others meanwhile: above 0.1, distrust the sample. */
  readonly otherShare: number;
}

export type Samples = ReadonlyMap<WayName, readonly Sample[]>;

const settleMs = 300;
/** V8 compiles what a gateway does while it serves its first fifty thousand calls or so, on the core that is measured. */
const warmUpSeconds = 6;

export async function measure(bench: GatewayBench, title: string, load: Load): Promise<Samples> {
  const { ways, repetitions } = bench;
  const samples = new Map<WayName, Sample[]>(ways.all.map(({ name }) => [name, []]));
  for (const way of ways.all) await runLoad(ways, way, warmUpOf(load));
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const way of ways.all) {
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      const sample = await measureOnce(ways, way, load);
      samples.get(way.name)?.push(sample);
      console.error(`  ${title}: ${way.name} ${told(sample)}`);
    }
  return samples;
}

/** As many calls as there can be: at 500 a second V8 would go on compiling through the measurement. */
function warmUpOf({ kind, connections, rate = 0 }: Load): Load {
  return { kind, connections, seconds: warmUpSeconds, rate: kind === "paced" ? rate : 0 };
}

export async function measureOnce(ways: Ways, way: Way, load: Load): Promise<Sample> {
  const before = readCpu(ways, way);
  const result = await runLoad(ways, way, load);
  const after = readCpu(ways, way);
  const spent = (of: keyof typeof before): number => after[of] - before[of];
  const measured = spent("proxy") + spent("upstream") + spent("self") + result.cpuSeconds;
  return {
    ...result,
    perSecond: result.exchanges / result.seconds,
    cpuMicroseconds: (spent("proxy") * 1e6) / (result.events || result.exchanges),
    proxyShare: spent("proxy") / result.seconds,
    loadShare: (spent("upstream") + result.cpuSeconds) / result.seconds,
    otherShare: Math.max(0, spent("machine") - measured) / (availableParallelism() * spent("time")),
  };
}

function readCpu({ upstream }: Ways, { pid }: Way) {
  const { user, system } = process.cpuUsage();
  return {
    proxy: pid === undefined ? 0 : readCpuSeconds(pid),
    upstream: readCpuSeconds(upstream.pid),
    self: (user + system) / 1e6,
    machine: readMachineCpuSeconds(),
    time: performance.now() / 1000,
  };
}

function told({ perSecond, cpuMicroseconds, p50Ms, p99Ms, firstP50Ms, otherShare }: Sample): string {
  const times = `p50 ${p50Ms} p99 ${p99Ms} first ${firstP50Ms} ms`;
  return `${perSecond.toFixed(0)}/s, ${cpuMicroseconds.toFixed(1)} µs CPU, ${times} (others ${Math.round(100 * otherShare)} %)`;
}
