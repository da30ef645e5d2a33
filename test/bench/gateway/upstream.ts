/** The provider that all ways lead to (`upstream/`), and how its files and the load client are made. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { startMs, stop } from "../support/processes.ts";
import { pacedEvents, pacedEveryMs } from "./answers.ts";
import { pinned, type Cores } from "./cores.ts";

export interface Upstream extends AsyncDisposable {
  readonly pid: number;
  /** Two of them, so that there is something to choose for a gateway. */
  readonly ports: readonly [number, number];
}

export async function startUpstream(program: string, directory: string, cores: Cores): Promise<Upstream> {
  const args = [directory, String(pacedEvents), String(pacedEveryMs)];
  const child = spawn(...pinned(cores.load, program, args), { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, "line", { signal: AbortSignal.timeout(startMs) })) as [string];
  lines.close();
  const { ports } = JSON.parse(line) as { ports: [number, number] };
  return { pid: child.pid ?? 0, ports, [Symbol.asyncDispose]: () => stop(child) };
}
