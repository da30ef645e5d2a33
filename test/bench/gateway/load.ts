/** Runs the load client (`client/`) against one way. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expectedFile, type Kind } from "./answers.ts";
import { pinned } from "./cores.ts";
import type { Way, Ways } from "./ways.ts";

export interface Load {
  readonly kind: Kind;
  readonly connections: number;
  /** When it ends: after so many exchanges, or after a time. */
  readonly exchanges?: number;
  readonly seconds?: number;
  /** Exchanges that are due in a second, over all connections; without, each connection begins the next at once. */
  readonly rate?: number;
}

/** Milliseconds are from when an exchange began, or was due: to its end, and to the first byte of the body. */
export interface LoadResult {
  readonly exchanges: number;
  /** Of paced streams, also of those that have not ended. */
  readonly events: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstP50Ms: number;
  readonly firstP99Ms: number;
  /** Of a paced stream's events: from the upstream to the client. */
  readonly eventP50Ms: number;
  readonly eventP99Ms: number;
}

const graceMs = 60_000;
const slowestPerSecond = 300;

/** Throws when any answer was not what the upstream sent: a figure with errors in it is none. */
export async function runLoad({ client, cores, directory }: Ways, way: Way, load: Load): Promise<LoadResult> {
  const { kind, connections, exchanges = 0, seconds = 0, rate = 0 } = load;
  const files = [way.requests[kind], expectedFile(directory, kind)];
  const end = rate > 0 ? [rate, seconds, "paced"] : [exchanges, seconds, "keep"];
  const args = [way.port, ...files, connections, ...end].map(String);
  const timeout = Math.ceil(graceMs + 1_000 * (seconds + exchanges / slowestPerSecond));
  const { stdout } = await promisify(execFile)(...pinned(cores.load, client, args), { timeout });
  const result = JSON.parse(stdout) as LoadResult & { errors: number; failure: string };
  if (result.errors > 0) throw new Error(`${way.name}, ${kind}: ${result.errors} calls failed: ${result.failure}`);
  if (result.exchanges === 0) throw new Error(`${way.name}, ${kind}: not one call ended in ${seconds} s`);
  if (exchanges > 0 && result.exchanges < exchanges)
    throw new Error(`${way.name}, ${kind}: ${result.exchanges} of ${exchanges} calls were done`);
  return result;
}
