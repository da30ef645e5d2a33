/** What every command of the CLI has in common. */
import type { Command } from "commander";
import { defaultStateDirectory } from "../settings/settings-file.ts";
import { describeFailure, formatFailure } from "./failure.ts";

export type StateFlag = { state: string };
export const stateFlag = [
  "--state <dir>",
  "where the node keeps its keys and certificate",
  defaultStateDirectory,
] as const;

export function stateOf(command: Command): string {
  return command.optsWithGlobals<StateFlag>().state;
}

export function print(text: string): void {
  process.stdout.write(text);
}

/** https://no-color.org */
export function wantsColor(): boolean {
  return process.stdout.isTTY && !process.env["NO_COLOR"];
}

/** Runs a command; a failure is told on stderr, with its remedy, and ends in exit code 1 unless another is set. */
export async function runCommand(what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    process.stderr.write(formatFailure(describeFailure(what, error), process.stderr.isTTY));
    process.exitCode ??= 1;
  }
}
