/** One process of the system under soak: started, signalled and started again, its log read for what should not be there. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { processTree, root } from "../support/postern.ts";

export interface MemberOptions {
  /** Such as `relay-a`. */
  readonly label: string;
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly onMessage?: (message: MemberMessage) => void;
  /** A crash, or a line of its log that should not be. */
  readonly onIncident: (words: string) => void;
}

/** What relay and edge say once they are ready, and a node whenever something has changed. */
export interface MemberMessage {
  readonly ready?: boolean;
  readonly status?: NodeStatus;
}

export interface NodeStatus {
  readonly hostnames: readonly string[];
  readonly relays: readonly { name: string; up: boolean }[];
  readonly health: { readonly status: string };
}

const startMs = 60_000;
const stopMs = 10_000;
const maxDetail = 500;

export class Member {
  readonly label: string;
  readonly #options: MemberOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #asked = false;
  #frozen: number[] = [];

  constructor(options: MemberOptions) {
    this.label = options.label;
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: "a" });
  }

  /** Resolves once it says that it is ready; rejects when it ends instead, or says nothing in time. */
  async start(): Promise<void> {
    const { script, args = [], env, onMessage } = this.#options;
    const child = fork(join(root, script), args, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, LOG_LEVEL: "info", ...env },
      detached: true, // Ctrl-C is for the soak alone, which ends them; they go with its IPC channel, too
    });
    this.#child = child;
    this.#asked = false;
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface(stream).on("line", (line) => this.#read(line));
    child.once("exit", (code, signal) => {
      if (!this.#asked) this.#options.onIncident(`${this.label} ended by itself (${signal ?? `exit code ${code}`})`);
    });
    const ready = new Promise<void>((resolve, reject) => {
      child.on("message", (message: MemberMessage) => {
        onMessage?.(message);
        if (message.ready || message.status) resolve();
      });
      child.once("exit", (code, signal) => reject(new Error(`${this.label} ended: ${signal ?? code}`)));
    });
    const timeout = AbortSignal.timeout(startMs);
    const late = once(timeout, "abort").then(() => Promise.reject(new Error(`${this.label} did not start in time`)));
    late.catch(() => {});
    await Promise.race([ready, late]);
  }

  /** Everything that runs for it, itself first. */
  get pids(): number[] {
    return this.runs ? processTree(this.#child?.pid ?? 0) : [];
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it by a signal and resolves when it has ended, to whether it did so before `ms` were over. */
  async end(signal: "SIGKILL" | "SIGTERM", ms = stopMs): Promise<boolean> {
    const child = this.#child;
    if (!child || !this.runs) return true;
    this.#asked = true;
    const ended = once(child, "exit");
    child.kill(signal);
    let inTime = true;
    const force = setTimeout(() => {
      inTime = false;
      child.kill("SIGKILL");
    }, ms);
    await ended;
    clearTimeout(force);
    return inTime;
  }

  freeze(): void {
    this.#frozen = this.pids;
    for (const pid of this.#frozen) process.kill(pid, "SIGSTOP");
  }

  thaw(): void {
    for (const pid of this.#frozen) signalIfThere(pid, "SIGCONT");
    this.#frozen = [];
  }

  #read(line: string): void {
    this.#log.write(`${line}\n`);
    const incident = incidentIn(line);
    if (incident !== undefined) this.#options.onIncident(`${this.label}: ${incident.slice(0, maxDetail)}`);
  }
}

/** What in a line of a log should not be there: an error, or text that is no log line, such as a stack trace. */
export function incidentIn(line: string): string | undefined {
  if (line.trim() === "") return undefined;
  try {
    const { level } = JSON.parse(line) as { level?: unknown };
    return level === "error" ? line : undefined;
  } catch {
    return line;
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile
  }
}
