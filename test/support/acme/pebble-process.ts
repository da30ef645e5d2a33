/** One run of the pebble program, which ends with this process at the latest. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export interface PebbleProcess {
  readonly pid: number;
  readonly running: boolean;
  /** Its last lines. */
  output(): string;
  stop(): Promise<void>;
}

/** Thrown when pebble ends before it listens. */
export class PebbleEnded extends Error {
  override readonly name = "PebbleEnded";
}

const startDeadlineMs = 10_000;
const maxOutputCharacters = 64 << 10;

// Whoever is ended with SIGKILL cannot end its children. The script sees to it, for whatever program it is given.
const boundToParent = join(import.meta.dirname, "..", "..", "..", "scripts", "workerd.sh");

/** Resolves just before it listens; rejects with {@link PebbleEnded} when it gave up. */
export async function runPebble(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<PebbleProcess> {
  const child = spawn("/bin/sh", [boundToParent, ...args], {
    env: { PATH: process.env["PATH"], POSTERN_WORKERD: "pebble", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = once(child, "close").then(() => process.off("exit", kill));
  let output = "";
  const listening = Promise.withResolvers<void>();
  const onData = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-maxOutputCharacters);
    if (output.includes("ACME directory available at")) listening.resolve();
  };
  child.stdout.on("data", onData);
  child.stderr.on("data", onData);
  const deadline = setTimeout(() => listening.reject(new Error(`Pebble did not start:\n${output}`)), startDeadlineMs);
  void ended.then(() => listening.reject(new PebbleEnded(`Pebble ended:\n${output}`)));
  child.once("error", listening.reject);
  try {
    await listening.promise;
  } catch (error) {
    kill();
    throw error;
  } finally {
    clearTimeout(deadline);
  }
  return {
    pid: pidOf(child),
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    output: () => output,
    async stop() {
      kill();
      await ended;
    },
  };
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("Pebble has no process id.");
  return pid;
}
