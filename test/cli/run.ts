import { join } from "node:path";
import { root } from "../support/postern.ts";
import { runProgram, type Output } from "../support/visit.ts";

/** Runs `postern` with these arguments to its end. */
export function postern(...args: string[]): Promise<Output> {
  return runProgram(process.execPath, [join(root, "tee-bot/cli/main.ts"), ...args]);
}
