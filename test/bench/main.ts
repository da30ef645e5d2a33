/**
 * `npm run bench`: Postern beside HAProxy and beside no relay at all, on this machine.
 *
 *   BENCH_REPS   rounds over all ways (default 3)
 *   BENCH_SCALE  share of the full length of each measurement, for a quick look (default 1)
 *   BENCH_ONLY   some of: bulk1,bulk16,requests,connections,idle
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { measureBulk } from "./bulk.ts";
import { measureConnections } from "./connections.ts";
import { measureIdleVisitors, type IdleRow } from "./idle-visitors.ts";
import { measureRequests } from "./requests.ts";
import type { Bench } from "./support/measure.ts";
import { formatIdle, formatRow } from "./support/table.ts";
import { buildLoadClient, installTools, versionOf } from "./support/tools.ts";
import { startWays } from "./support/ways.ts";

const questions = {
  bulk1: async (bench: Bench) => formatRow(await measureBulk(bench, 1)),
  bulk16: async (bench: Bench) => formatRow(await measureBulk(bench, 16)),
  requests: async (bench: Bench) => formatRow(await measureRequests(bench)),
  connections: async (bench: Bench) => formatRow(await measureConnections(bench)),
  idle: async (bench: Bench) => {
    const rows: IdleRow[] = [];
    for (let repetition = 0; repetition < bench.repetitions; repetition++) {
      // A process that has had visitors before keeps memory of them, which would hide what new ones cost.
      await using ways = await startWays(directory);
      for (const way of ["haproxy", "postern", "terminated"] as const)
        rows.push(await measureIdleVisitors({ ...bench, ways }, way));
    }
    return formatIdle(rows);
  },
};

const repetitions = readNumber("BENCH_REPS", 3, 1, 100);
const scale = readNumber("BENCH_SCALE", 1, 0.01, 10);
const chosen = readChoice();

installTools();
const directory = mkdtempSync(join(tmpdir(), "postern-bench-"));
try {
  const client = buildLoadClient(directory);
  await using ways = await startWays(directory);
  const answers: string[] = [];
  for (const name of chosen) answers.push(await questions[name]({ client, ways, repetitions, scale }));
  console.log([about(), ...answers].join("\n\n"));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function about(): string {
  const commit = execFileSync("git", ["log", "-1", "--format=%h"], { encoding: "utf8" }).trim();
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores`;
  return `${machine}; commit ${commit}; Node ${process.version}; ${versionOf("haproxy", "-v")}; ${versionOf("openssl", "version")}; ${repetitions} repetitions`;
}

function readNumber(name: string, fallback: number, min: number, max: number): number {
  const value = Number(process.env[name] ?? fallback);
  if (value >= min && value <= max) return value;
  console.error(`${name} is a number from ${min} to ${max}.`);
  return process.exit(2);
}

function readChoice(): (keyof typeof questions)[] {
  const known = Object.keys(questions) as (keyof typeof questions)[];
  const asked = process.env["BENCH_ONLY"]?.split(",") ?? known;
  const choice = known.filter((name) => asked.includes(name));
  if (choice.length === new Set(asked).size) return choice;
  console.error(`BENCH_ONLY is some of ${known.join(",")}.`);
  return process.exit(2);
}
