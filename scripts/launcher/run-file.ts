import { existsSync, readFileSync, rmSync } from "node:fs";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";

/** What `npm start -- --json` prints, and what `run.json` in the state directory holds while the stack runs. */
export interface Run {
  ready: true;
  zone: string;
  edge: string;
  relay: { host: string; port: number };
  /** `key`: an API key for the gateway at the public name. */
  node: { id: string; url: string; hostnames: string[]; key: string };
  gateway: string;
  /** PEM file that a client has to trust; null when the CA is publicly trusted. */
  ca: string | null;
  state: string;
  /** Only where a stand-in for a TEE runs. */
  tee?: SimulatedTee;
  /** Only where a stand-in for Signal runs: its page, and `GET` and `POST /messages` for who talks to the bot. */
  signal?: { url: string };
  pids: { edge: number; relay: number; node: number; tee?: number; signal?: number; receiver?: number };
}

export interface SimulatedTee {
  simulated: true;
  /** Of its guest agent. */
  socket: string;
  /** PEM file: a verifier accepts the node's evidence only when it is given this, and then says `simulated`. */
  root: string;
  /** Base URL of the collateral to its quotes. */
  pcs: string;
}

export interface RunFile extends Run {
  launcher: number;
}

export function writeRunFile(path: string, run: RunFile): void {
  writeFileAtomic(path, JSON.stringify(run), 0o600);
}

export function removeRunFile(path: string): void {
  rmSync(path, { force: true });
}

/** The stack that runs on this state now, or undefined. */
export function readRunFile(path: string): RunFile | undefined {
  try {
    const run = JSON.parse(readFileSync(path, "utf8")) as RunFile;
    process.kill(run.launcher, 0); // throws when it is gone
    return isLauncher(run.launcher) ? run : undefined;
  } catch {
    return undefined;
  }
}

/** After a restart of the machine the number may be another program's; where there is no /proc it is believed. */
function isLauncher(pid: number): boolean {
  if (!existsSync("/proc/self/cmdline")) return true;
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("start.ts");
}
