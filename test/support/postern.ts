/** The real thing for system tests: `scripts/start.ts --json` as a process, on free ports, with a state of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run, RunFile } from "../../scripts/launcher/run-file.ts";

export const root = join(import.meta.dirname, "../..");
const readyTimeoutMs = 90_000;
const stopTimeoutMs = 10_000;

export interface Postern extends AsyncDisposable {
  readonly run: Run;
  readonly launcher: ChildProcess;
  /** Everything said on stdout and stderr so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** What a client has to trust, PEM; empty with a publicly trusted CA. */
  readonly ca: string;
  readonly caPath: string;
  /** Process ids as they are now. */
  readonly pids: () => Run["pids"];
  /** Sends SIGTERM to the launcher and resolves to how long it took to end, in ms. */
  stop(): Promise<number>;
}

export interface PosternOptions {
  args?: string[];
  /** A state directory of an earlier start, kept by the caller. */
  state?: string;
  env?: Record<string, string>;
  /** The port for visitors; a free one unless said. */
  port?: number;
  /** What visitors trust, PEM, where that is not the file that the launcher names. */
  roots?: () => Promise<string>;
}

export async function startPostern({
  args = [],
  state,
  env = {},
  port = 0,
  roots,
}: PosternOptions = {}): Promise<Postern> {
  const directory = state ?? mkdtempSync(join(tmpdir(), "postern-"));
  const [visitors, edgePort] = [port === 0 ? await freePort() : port, await freePort()];
  const launcher = spawn(
    process.execPath,
    [
      join(root, "scripts/start.ts"),
      "--json",
      "--state",
      directory,
      "--port",
      String(visitors),
      "--edge-port",
      String(edgePort),
      ...args,
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } },
  );
  let stdout = "";
  let stderr = "";
  launcher.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  launcher.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));

  const run = await new Promise<Run>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}\n${stderr}`));
    const timer = setTimeout(() => {
      launcher.kill("SIGKILL");
      fail("Postern was not ready in time.");
    }, readyTimeoutMs);
    launcher.stdout.on("data", () => {
      if (!stdout.includes("\n")) return;
      clearTimeout(timer);
      resolve(JSON.parse(stdout.slice(0, stdout.indexOf("\n"))) as Run);
    });
    launcher.once("exit", (code) => (clearTimeout(timer), fail(`Postern ended with exit code ${code}.`)));
  }).catch((error: unknown) => {
    if (state === undefined) rmSync(directory, { recursive: true, force: true });
    throw error;
  });

  const stop = (): Promise<number> => stopProcess(launcher, "SIGTERM");
  return {
    run,
    launcher,
    stdout: () => stdout,
    stderr: () => stderr,
    ca: roots ? await roots() : run.ca === null ? "" : readFileSync(run.ca, "utf8"),
    caPath: run.ca ?? "",
    pids: () => (JSON.parse(readFileSync(join(directory, "run.json"), "utf8")) as RunFile).pids,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      if (state === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Signals a process unless it has ended, and resolves to how long it took to end, in ms. */
export async function stopProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number> {
  if (child.exitCode !== null || child.signalCode !== null) return 0;
  const startedAt = Date.now();
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  child.kill(signal);
  await ended;
  clearTimeout(timer);
  return Date.now() - startedAt;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that has ended but was not waited for still answers; its state says so.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** The process and all that it started, as far as they live. */
export function processTree(pid: number): number[] {
  try {
    const tasks = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    const children = tasks === "" ? [] : tasks.split(" ").map(Number);
    return [pid, ...children.flatMap(processTree)];
  } catch {
    return [];
  }
}

/** Polls until `condition` holds; resolves to how long that took, in ms. Throws after `timeoutMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<number> {
  const startedAt = Date.now();
  while (!(await condition())) {
    if (Date.now() - startedAt > timeoutMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return Date.now() - startedAt;
}
