/** A provider whose streams never end nor say a word, in a process of its own: so that its garbage is not the gateway's. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface EndlessUpstream extends AsyncDisposable {
  readonly baseUrl: string;
}

const startMs = 20_000;

export async function startEndlessUpstream(text: string): Promise<EndlessUpstream> {
  const args = [join(import.meta.dirname, "endless-child.ts"), JSON.stringify(text)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  try {
    const lines = createInterface({ input: child.stdout });
    const [baseUrl] = (await once(lines, "line", { signal: AbortSignal.timeout(startMs) })) as [string];
    return { baseUrl, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
