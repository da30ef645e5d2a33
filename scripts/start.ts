/** `npm start`: the whole system with embedded defaults, and a URL to try. */
import { join, relative } from "node:path";
import { aborted, onTermination } from "../shared/nodejs/termination.ts";
import { parseLaunchOptions, UsageError, usage, type LaunchOptions } from "./launcher/options.ts";
import { onParentGone } from "./launcher/parent.ts";
import { PortTakenError } from "./launcher/ports.ts";
import { createProgress } from "./launcher/progress.ts";
import { readRunFile, removeRunFile, writeRunFile, type Run } from "./launcher/run-file.ts";
import { startStack, type Stack } from "./launcher/stack.ts";

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
    write(summary(stack, (performance.now() - startedAt) / 1000));
    if (options.json) process.stdout.write(`${JSON.stringify(run)}\n`);
    await aborted(stop);
    write("\nstopping …\n");
  } finally {
    removeRunFile(runFile);
    await stack.stop();
  }
}

function summary({ run, metrics }: Stack, seconds: number): string {
  const { node, ca, state, gateway, zone } = run;
  const here = (path: string): string => {
    const short = relative(process.cwd(), path);
    return short.startsWith("..") ? path : short;
  };
  const trust = ca === null ? "" : `--cacert ${here(ca)} `;
  const resolve = zone.endsWith("localhost") ? "" : `--resolve ${new URL(node.url).host}:127.0.0.1 `;
  return `
  ready after ${seconds.toFixed(1)} s

  URL      ${node.url}
  try      curl ${trust}${resolve}${node.url}/healthz
  CA       ${ca === null ? "publicly trusted" : `${here(ca)} (for clients: names below ${zone})`}
  gateway  ${gateway} (the same, without TLS, on this machine)
  metrics  ${metrics} (the relay's)
  logs     ${here(join(state, "log"))}/
  status   npm run postern -- status --state ${here(join(state, "node"))}
  stop     Ctrl-C
`;
}
