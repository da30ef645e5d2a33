/** `npm start`: the whole system with embedded defaults, and a URL to try. */
import { join } from "node:path";
import { aborted, onTermination } from "../shared/nodejs/termination.ts";
import { parseLaunchOptions, UsageError, usage, type LaunchOptions } from "./launcher/options.ts";
import { onParentGone } from "./launcher/parent.ts";
import { PortTakenError } from "./launcher/ports.ts";
import { createProgress } from "./launcher/progress.ts";
import { readRunFile, removeRunFile, writeRunFile, type Run } from "./launcher/run-file.ts";
import { startStack } from "./launcher/stack.ts";
import { summarize } from "./launcher/summary.ts";

const usageExitCode = 2;

const stop = AbortSignal.any([onTermination(), onParentGone()]);
const startedAt = performance.now() - process.uptime() * 1000;

try {
  const options = parseLaunchOptions(process.argv.slice(2), process.cwd());
  if (options) await launch(options);
  else process.stdout.write(usage);
} catch (error) {
  if (!stop.aborted) {
    process.stderr.write(`\nPostern did not start.\n  ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof UsageError ? usageExitCode : 1;
    if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
    if (error instanceof PortTakenError)
      process.stderr.write("  Name another port, or leave the flag out and a free one is chosen.\n");
  }
}

async function launch(options: LaunchOptions): Promise<void> {
  const runFile = join(options.state, "run.json");
  const running = readRunFile(runFile);
  if (running)
    throw new Error(
      `It runs already on ${options.state} (process ${running.launcher}): ${running.node.url}\n  Stop it, or give another state directory with --state.`,
    );

  const say = options.json ? process.stderr : process.stdout;
  const write = (text: string): void => void say.write(text);
  const progress = createProgress({ write, color: say.isTTY, clock: () => performance.now() });
  write("\nPostern\n\n");

  const remember = (run: Run): void => writeRunFile(runFile, { ...run, launcher: process.pid });
  const stack = await startStack({ options, progress, signal: stop, onRestart: remember });
  try {
    const { run } = stack;
    remember(run);
    write(await summarize(stack, (performance.now() - startedAt) / 1000));
    if (options.json) process.stdout.write(`${JSON.stringify(run)}\n`);
    await aborted(stop);
    write("\nstopping …\n");
  } finally {
    removeRunFile(runFile);
    await stack.stop();
  }
}
