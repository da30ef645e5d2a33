/** Programs that stand between client and server, started and stopped by the benchmarks. */
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";

export const startMs = 30_000;
const retryMs = 20;

/** Starts a program that listens on a port, and resolves once it does. One that does not is ended. */
export async function startListening(
  [program, args]: readonly [program: string, args: string[]],
  port: number,
  stdio: StdioOptions,
): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio });
  try {
    await listens(port, child);
    return child;
  } catch (error) {
    await stop(child);
    throw error;
  }
}

/** Resolves when the process listens there; throws when it has ended or takes too long. */
export async function listens(port: number, child: ChildProcess): Promise<void> {
  const signal = AbortSignal.timeout(startMs);
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      signal.throwIfAborted();
      if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with exit code ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    } finally {
      socket.destroy();
    }
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
