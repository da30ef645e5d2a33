/** The long line of `test/bench/line/` between two hosts of a network. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Network } from "../../support/namespaces.ts";
import { stopProcess } from "../../support/postern.ts";

const compileMs = 60_000;
const readyMs = 5_000;
const addresses = ["10.78.0.1", "10.78.0.2"] as const;

export interface LineOptions {
  /** What {@link buildLine} has made. */
  program: string;
  network: Network;
  /** All that goes between these two takes the line. */
  hosts: readonly [string, string];
  roundTripMs: number;
  bitsPerSecond: number;
  /** What waits before the line; more is lost. */
  queueBytes: number;
}

/** Compiles the line and returns its path. */
export function buildLine(directory: string): string {
  const path = join(directory, "line");
  const source = join(import.meta.dirname, "../line/line.c");
  execFileSync("gcc", ["-O2", "-Wall", source, "-o", path], { timeout: compileMs });
  return path;
}

/** Resolves when packets can take it. */
export async function startLine(options: LineOptions): Promise<AsyncDisposable> {
  const { program, network, hosts, roundTripMs, bitsPerSecond, queueBytes } = options;
  const ends = hosts.flatMap((host, at) => [network.namespace(host), addresses[at] ?? ""]);
  const child = spawn(program, [...ends, ...[500 * roundTripMs, bitsPerSecond, queueBytes].map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data", { signal: AbortSignal.timeout(readyMs) });
  const [near, far] = hosts;
  network.run(near, "ip", ["route", "add", `${network.address(far)}/32`, "dev", "line0"]);
  network.run(far, "ip", ["route", "add", `${network.address(near)}/32`, "dev", "line0"]);
  return { [Symbol.asyncDispose]: async () => void (await stopProcess(child, "SIGTERM")) };
}
