/**
 * Measures every way in turn, then all again: what else runs on the machine disturbs them alike, and the ratio of
 * medians says more than any figure by itself.
 */
import { availableParallelism } from "node:os";
import { runLoad, type Load, type LoadResult } from "./load.ts";
import { readCpuSeconds, readMachineCpuSeconds } from "./proc.ts";
import { wayNames, type Way, type WayName, type Ways } from "./ways.ts";

export interface Bench {
  readonly client: string;
  readonly ways: Ways;
  readonly repetitions: number;
  /** Shortens every measurement, for a quick look. */
  readonly scale: number;
}

export interface Cell {
  /** In the unit of the row. */
  readonly value: number;
  /** CPU in the CPU unit of the row: of what stands in between, of what stands beside the server, of the server. */
  readonly relayCpu: number;
  readonly nodeCpu: number;
  readonly serverCpu: number;
  /** Share of one core that the load client took: near 1, it is the limit. */
  readonly clientShare: number;
  /** Share of the machine that went to processes of others meanwhile: above 0.1, distrust the cell. */
  readonly otherShare: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** The least ratio of a way's median to that of another. */
export interface Goal {
  readonly way: WayName;
  readonly over: WayName;
  readonly atLeast: number;
}

export interface Row {
  readonly title: string;
  readonly unit: string;
  readonly cpuUnit: string;
  readonly goals: readonly Goal[];
  readonly cells: Readonly<Partial<Record<WayName, readonly Cell[]>>>;
}

/** How a run of the load client becomes the figures of a row. */
export interface Question extends Omit<Row, "cells"> {
  readonly load: Load;
  readonly value: (result: LoadResult) => number;
  /** From CPU seconds to the CPU unit. */
  readonly cpu: (seconds: number, result: LoadResult) => number;
  readonly latency?: boolean;
}

const settleMs = 300;

export async function measure(bench: Bench, question: Question): Promise<Row> {
  const cells: Record<WayName, Cell[]> = {
    direct: [],
    haproxy: [],
    pool: [],
    tls: [],
    http2: [],
    ssh: [],
    exposed: [],
  };
  for (let repetition = 0; repetition < bench.repetitions; repetition++)
    for (const name of wayNames) {
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      const cell = await measureOnce(bench, question, bench.ways.all[name]);
      cells[name].push(cell);
      const cpu = [cell.relayCpu, cell.nodeCpu, cell.serverCpu].map((one) => one.toPrecision(3)).join(" + ");
      const noise = `others ${Math.round(100 * cell.otherShare)} %, client ${Math.round(100 * cell.clientShare)} %`;
      console.error(
        `  ${question.title}: ${name} ${cell.value.toPrecision(4)} ${question.unit}, ${cpu} ${question.cpuUnit} (${noise})`,
      );
    }
  const { title, unit, cpuUnit, goals } = question;
  return { title, unit, cpuUnit, goals, cells };
}

async function measureOnce(bench: Bench, question: Question, way: Way): Promise<Cell> {
  const before = readCpu(bench, way);
  const result = await runLoad(bench.client, way, question.load);
  const after = readCpu(bench, way);
  const spent = (of: keyof typeof before): number => after[of] - before[of];
  const ours = spent("relay") + spent("node") + spent("backend") + spent("self") + result.cpuSeconds;
  return {
    value: question.value(result),
    relayCpu: question.cpu(spent("relay"), result),
    nodeCpu: question.cpu(spent("node"), result),
    serverCpu: question.cpu(spent("backend"), result),
    clientShare: result.cpuSeconds / result.seconds,
    otherShare: Math.max(0, spent("machine") - ours) / (availableParallelism() * spent("time")),
    p50Ms: question.latency ? result.p50Ms : undefined,
    p99Ms: question.latency ? result.p99Ms : undefined,
  };
}

function readCpu({ ways }: Bench, { relay, node }: Way) {
  const { user, system } = process.cpuUsage();
  return {
    relay: relay === undefined ? 0 : readCpuSeconds(relay),
    node: node === undefined ? 0 : readCpuSeconds(node),
    backend: readCpuSeconds(ways.backend),
    self: (user + system) / 1e6,
    machine: readMachineCpuSeconds(),
    time: performance.now() / 1000,
  };
}
