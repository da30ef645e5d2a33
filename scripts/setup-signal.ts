/** `node scripts/setup-signal.ts`: prepares a deployment of the bot, step by step. */
import { onTermination } from "../shared/nodejs/termination.ts";
import { UsageError } from "./launcher/options.ts";
import { SetupFailure } from "./setup/failure.ts";
import { noQuestions, terminalQuestions } from "./setup/questions.ts";
import { parseSignalSetup, usage } from "./signal/options.ts";
import { setUpSignal } from "./signal/set-up.ts";

const usageExitCode = 2;

const signal = onTermination();
const { stdin: input, stdout: output, stderr } = process;

try {
  const options = parseSignalSetup(process.argv.slice(2), process.env, process.cwd());
  if (options) {
    const asks = input.isTTY && output.isTTY && !options.yes;
    const questions = asks ? terminalQuestions({ input, output, signal }) : noQuestions;
    const say = (line: string): void => void output.write(`  ${line}\n`);
    output.write("\nPostern: the bot at Signal\n\n");
    output.write(await setUpSignal(options, { questions, say, signal }));
  } else output.write(usage);
} catch (error) {
  process.exitCode = error instanceof UsageError ? usageExitCode : 1;
  stderr.write(`\n  ${inLines(error instanceof Error ? error.message : String(error))}\n`);
  if (error instanceof SetupFailure) stderr.write(`\n  do: ${inLines(error.remedy)}\n`);
  if (error instanceof UsageError) stderr.write(`\n${usage}`);
}

function inLines(text: string): string {
  return text.replaceAll("\n", "\n  ");
}
