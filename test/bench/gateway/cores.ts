/** Who runs where: what stands in between has a core for itself, the load client and the upstream share another. */
import { readFileSync } from "node:fs";

export interface Cores {
  readonly proxy: number;
  readonly load: number;
}

/** The first two cores that this process may use. */
export function readCores(): Cores {
  const [, list = ""] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  const [proxy, load] = list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
  if (proxy === undefined || load === undefined)
    throw new Error("The benchmarks of the gateway need two cores: one for what is measured, one for who measures.");
  return { proxy, load };
}

/** What `spawn` takes, for a program that has to stay on one core. */
export function pinned(core: number, program: string, args: readonly string[]): [string, string[]] {
  return ["taskset", ["--cpu-list", String(core), program, ...args]];
}
