/** One process of the engine, from its start to its end. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { EngineModel, EngineStart, EngineWord } from "../messages.ts";
import { createSocketDirectory } from "./private-directory.ts";

const main = join(import.meta.dirname, "..", "main.ts");
/** A cold disk and a busy machine are slow; an engine that says nothing for so long never will. */
const startMs = 60_000;
const stopMs = 2_000;
/** A small young generation: its garbage is that of single tokens. 170 MB after ten thousand calls rather than 260. */
const execArgv = ["--max-semi-space-size=2"];
const maxSaidLength = 500;
/** All that the engine needs of the environment. The node's own has the keys of providers. */
const passedOn = ["PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "TZ"];

export interface EngineChildOptions {
  models: readonly EngineModel[];
  clock: Clock;
  log: Log;
  onLoaded: (model: string) => void;
  /** It has ended without being told to; `how` for people: `signal SIGSEGV`. */
  onCrash: (how: string) => void;
  /** Gives up the start of one that is not wanted any more. */
  signal: AbortSignal;
}

export interface EngineChild {
  readonly socket: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Resolves when it listens. Rejects with why it does not. */
export async function startEngineChild({
  models,
  clock,
  log,
  onLoaded,
  onCrash,
  signal,
}: EngineChildOptions): Promise<EngineChild> {
  const { directory, socket } = createSocketDirectory();
  const env = Object.fromEntries(passedOn.map((name) => [name, process.env[name]]));
  const child = fork(main, [], {
    execArgv,
    env: { ...env, NODE_LLAMA_CPP_SKIP_DOWNLOAD: "true" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let isStopping = false;
  let isReady = false;
  const exited = once(child, "exit").then(([code, killer]: unknown[]) => {
    rmSync(directory, { recursive: true, force: true });
    const how = typeof killer === "string" ? `signal ${killer}` : `exit code ${String(code)}`;
    if (isReady && !isStopping) onCrash(how);
    return how;
  });
  exited.catch(() => {}); // it never began: told by `ready`
  for (const output of [child.stdout, child.stderr]) output?.on("data", (said: Buffer) => logOutput(said, log));

  const stop = async (): Promise<void> => {
    isStopping = true;
    child.kill("SIGTERM");
    const late = new AbortController();
    const kill = clock.sleep(stopMs, late.signal).then(
      () => child.kill("SIGKILL"),
      () => {},
    );
    await exited.catch(() => {});
    late.abort();
    await kill;
  };

  const ready = listenTo(child, { log, onLoaded });
  child.send({ socket, models } satisfies EngineStart, () => {}); // who is gone already is told by `exited`
  const late = new AbortController();
  try {
    await Promise.race([
      ready,
      exited.then((how) => Promise.reject(new Error(`It ended with ${how} before it listened.`))),
      clock
        .sleep(startMs, AbortSignal.any([signal, late.signal]))
        .then(() => Promise.reject(new Error(`It did not listen within ${startMs} ms.`))),
    ]);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    late.abort();
  }
  isReady = true;
  return { socket, pid: child.pid ?? 0, stop };
}

function listenTo(child: ChildProcess, { log, onLoaded }: Pick<EngineChildOptions, "log" | "onLoaded">): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("message", (word: EngineWord) => {
      if (word.type === "ready") resolve();
      else if (word.type === "failed") reject(new Error(word.reason));
      else if (word.type === "loaded") onLoaded(word.model);
      else log.debug(word.event, word.fields);
    });
  });
}

/** What llama.cpp writes past its own log, as when it aborts. */
function logOutput(said: Buffer, log: Log): void {
  log.debug("engine.said", { text: said.toString().trim().slice(0, maxSaidLength) });
}
