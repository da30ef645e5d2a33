/** `npm run setup:edge`: deploys the edge to Cloudflare, step by step. */
import { systemClock } from "../shared/clock.ts";
import { onTermination } from "../shared/nodejs/termination.ts";
import { UsageError } from "./launcher/options.ts";
import { createProgress } from "./launcher/progress.ts";
import { SetupFailure } from "./setup/failure.ts";
import { parseSetupOptions, usage, type SetupOptions } from "./setup/options.ts";
import { noQuestions, terminalQuestions } from "./setup/questions.ts";
import { setUpEdge } from "./setup/set-up-edge.ts";

const usageExitCode = 2;

const signal = onTermination();
const { stdin: input, stdout: output, stderr } = process;

try {
  const options = parseSetupOptions(process.argv.slice(2), process.cwd());
  output.write(options ? await run(options) : usage);
} catch (error) {
  process.exitCode = error instanceof UsageError ? usageExitCode : 1;
  if (signal.aborted) stderr.write("\n  stopped; run it again and it goes on\n");
  else stderr.write(`\n  ${inLines(error instanceof Error ? error.message : String(error))}\n`);
  if (error instanceof SetupFailure && !signal.aborted) stderr.write(`\n  do: ${inLines(error.remedy)}\n`);
  if (error instanceof UsageError) stderr.write(`\n${usage}`);
}

function run(options: SetupOptions): Promise<string> {
  const asks = input.isTTY && output.isTTY && !options.yes;
  output.write("\nPostern: an edge on Cloudflare\n\n");
  return setUpEdge(options, {
    questions: asks ? terminalQuestions({ input, output, signal }) : noQuestions,
    progress: createProgress({
      write: (text) => void output.write(text),
      color: output.isTTY,
      clock: () => performance.now(),
    }),
    environment: process.env,
    fetch,
    clock: systemClock,
    signal,
  });
}

function inLines(text: string): string {
  return text.replaceAll("\n", "\n  ");
}
