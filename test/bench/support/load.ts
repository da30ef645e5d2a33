/** Runs the load client (`test/bench/load/`) against one way. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { stop } from "./processes.ts";

const graceMs = 60_000;

/** Where visitors connect, and the name they ask for. */
export interface Door {
  readonly port: number;
  readonly serverName: string;
}

export interface Load {
  bodyBytes: number;
  connections: number;
  /** When it ends: after so many exchanges, or after a time. */
  exchanges?: number;
  seconds?: number;
  /**
   * `new`: a connection for each exchange; `keep`: one for all of its exchanges; `paced`: the same, `exchanges` of them in a
   * second, each timed from when it was due.
   */
  connect: "new" | "keep" | "paced";
}

export interface LoadResult {
  readonly exchanges: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Throws when any exchange failed: a figure with errors in it is none. */
export async function runLoad(client: string, { port, serverName }: Door, load: Load): Promise<LoadResult> {
  const { bodyBytes, connections, exchanges = 0, seconds = 0, connect } = load;
  const path = `/bytes/${bodyBytes}`;
  const child = start(client, [port, serverName, path, bodyBytes, connections, exchanges, seconds, connect]);
  child.stdin?.end();
  const result = await readResult(child);
  if (connect !== "paced" && exchanges > 0 && result.exchanges < exchanges)
    throw new Error(`the load client finished ${result.exchanges} of ${exchanges} exchanges`);
  return result;
}

const tokenBytes = 64;
const tokensPerSecond = 40;

/** Streams of small tokens, as a language model answers; the times are those of each token, from its sending to here. */
export async function runTokens(
  client: string,
  { port, serverName }: Door,
  { streams, seconds }: { streams: number; seconds: number },
): Promise<LoadResult> {
  const tokens = Math.ceil(seconds * tokensPerSecond);
  const path = `/tokens/${tokens}`;
  const child = start(client, [port, serverName, path, tokens * tokenBytes, streams, streams, 0, "tokens"]);
  child.stdin?.end();
  return readResult(child);
}

const endless = 2 ** 42;

/** Visitors who take all they can get, until disposed of. */
export function startBulk(client: string, { port, serverName }: Door, connections: number): AsyncDisposable {
  const child = start(client, [port, serverName, `/bytes/${endless}`, endless, connections, 0, 3_600, "keep"]);
  child.stdin?.end();
  return { [Symbol.asyncDispose]: () => stop(child) };
}

export interface HeldConnections {
  /** Closes them, and resolves to how many were still open. */
  release(): Promise<number>;
}

/** Opens connections, makes one exchange over each, and keeps them open and idle. */
export async function holdConnections(
  client: string,
  { port, serverName }: Door,
  connections: number,
): Promise<HeldConnections> {
  return hold(start(client, [port, serverName, "/bytes/64", 64, connections, 0, 0, "hold"]), connections);
}

/** Opens connections, asks for more than anybody buffers over each, and reads nothing. */
export async function stallConnections(
  client: string,
  { port, serverName }: Door,
  connections: number,
): Promise<HeldConnections> {
  const args = [port, serverName, `/bytes/${endless}`, endless, connections, 0, 0, "stall"];
  return hold(start(client, args), connections);
}

async function hold(child: ChildProcess, connections: number): Promise<HeldConnections> {
  const { exchanges } = await readResult(child);
  if (exchanges !== connections) throw new Error(`${exchanges} of ${connections} connections could be opened`);
  return {
    release: async () => {
      const line = readLine(child);
      child.stdin?.end();
      return (JSON.parse(await line) as { held: number }).held;
    },
  };
}

function start(client: string, args: readonly (string | number)[]): ChildProcess {
  return spawn(client, args.map(String), { stdio: ["pipe", "pipe", "inherit"], timeout: 4 * graceMs });
}

async function readResult(child: ChildProcess): Promise<LoadResult> {
  const result = JSON.parse(await readLine(child)) as LoadResult & { errors: number; failure: string };
  if (result.errors > 0) throw new Error(`${result.errors} exchanges failed: ${result.failure}`);
  return result;
}

async function readLine(child: ChildProcess): Promise<string> {
  const signal = AbortSignal.timeout(graceMs);
  const lines = createInterface({ input: child.stdout! });
  try {
    const [line] = (await Promise.race([once(lines, "line", { signal }), once(child, "exit", { signal })])) as [
      unknown,
    ];
    if (typeof line !== "string") throw new Error(`the load client ended with exit code ${String(line)}`);
    return line;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    lines.close();
  }
}
