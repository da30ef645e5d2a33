/**
 * One process of the stack, kept running: a crash is noticed at once and the process started again, at first
 * immediately, then with growing pauses. It has an IPC channel, whose loss tells it that the launcher is gone, and a
 * process group of its own, so that Ctrl-C reaches the launcher alone, which stops the stack in order.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { decideBackoffMs } from "../../shared/backoff.ts";

export interface ChildOptions {
  name: string;
  /** Script and arguments for this Node. */
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  logFile: string;
  onMessage: (message: unknown) => void;
  /** It ended without being asked to; `restartInMs` is undefined when it is left so. */
  onCrash: (crash: { how: string; restartInMs: number | undefined; lastLines: string }) => void;
  onStart: (pid: number) => void;
  /** Exit codes after which a restart would do harm. */
  finalExitCodes?: readonly number[];
}

const stableAfterMs = 5_000;
const restart = { baseMs: 100, maxMs: 5_000 };
const rememberedBytes = 4_096;

export class Child {
  readonly #options: ChildOptions;
  readonly #log: WriteStream;
  #process: ChildProcess | undefined;
  #lastBytes = "";
  #crashes = 0;
  #stopping = false;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: "w" });
    this.#log.on("error", () => {}); // a full disk costs the log, not the stack
    this.#start();
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Asks it to end, and after `graceMs` ends it. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#process;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      const force = setTimeout(() => child.kill("SIGKILL"), graceMs);
      child.kill("SIGTERM");
      await ended;
      clearTimeout(force);
    }
    this.#log.end();
  }

  #start(): void {
    const { args, env, onMessage, onStart } = this.#options;
    const startedAt = Date.now();
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    this.#process = child;
    const keep = (chunk: Buffer): void => {
      if (this.#log.writable) this.#log.write(chunk); // last words may come after the end
      this.#lastBytes = (this.#lastBytes + chunk.toString()).slice(-rememberedBytes);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.on("message", onMessage);
    child.once("error", (error) => keep(Buffer.from(`${error.message}\n`)));
    child.once("close", (code, signal) => this.#ended(code, signal, Date.now() - startedAt));
    if (child.pid !== undefined) onStart(child.pid);
  }

  #ended(code: number | null, signal: string | null, livedMs: number): void {
    if (this.#stopping) return;
    const { onCrash, finalExitCodes = [] } = this.#options;
    if (livedMs > stableAfterMs) this.#crashes = 0;
    const restartInMs = finalExitCodes.includes(code ?? -1)
      ? undefined
      : this.#crashes++ === 0
        ? 0
        : decideBackoffMs(this.#crashes, { ...restart, random: Math.random });
    const lastLines = this.#lastBytes.trim().split("\n").slice(-5).join("\n");
    onCrash({ how: signal ?? `exit code ${code}`, restartInMs, lastLines });
    if (restartInMs !== undefined) this.#restartTimer = setTimeout(() => this.#start(), restartInMs);
  }
}
