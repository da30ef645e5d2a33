/** `postern signal simulate`: Signal and signal-cli-rest-api where there is no telephone, for trying the bot. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { systemClock } from "../../shared/clock.ts";
import { jsonLog } from "../../shared/log.ts";
import { aborted, onTermination } from "../../shared/nodejs/termination.ts";
import { print, runCommand } from "./command.ts";
import { CliError } from "./failure.ts";

interface SimulateFlags {
  port: string;
  hook?: string;
  account?: string;
  state?: string;
  mode: "json-rpc" | "normal";
  answers: "object" | "array";
  unregistered?: boolean;
}

const maxPort = 65_535;
const stateFileName = "signal-simulator.jsonl";
const numberPattern = /^\+\d{5,15}$/;

export function addSimulateCommand(parent: Command): void {
  parent
    .command("simulate")
    .description(
      "run a stand-in for Signal and signal-cli-rest-api until it is told to stop; no message leaves this machine",
    )
    .option("--port <port>", "where it listens, on loopback", "0")
    .addOption(
      new Option("--hook <url>", "the bot's webhook, with user and password (default: none)").env(
        "POSTERN_SIMULATOR_HOOK", // a list of processes does not show it
      ),
    )
    .option("--account <number>", "the bot's number (default: +15550000001)")
    .option("--state <dir>", "where messages are kept over a restart (default: nowhere)")
    .option("--unregistered", "the number is to be registered or linked first")
    .addOption(
      new Option("--mode <mode>", "how signal-cli-rest-api runs").choices(["json-rpc", "normal"]).default("json-rpc"),
    )
    .addOption(
      new Option("--answers <form>", "object: as release 0.100 answers a send; array: as later ones do")
        .choices(["object", "array"])
        .default("object"),
    )
    .action((flags: SimulateFlags) => runCommand("The simulator of Signal did not start.", () => simulate(flags)));
}

async function simulate(flags: SimulateFlags): Promise<void> {
  const stop = onTermination();
  const { startSignalSimulator } = await import("../bot/simulator/simulator.ts"); // an HTTP server
  const write = (line: string): void => void process.stderr.write(`${line}\n`);
  await using simulator = await startSignalSimulator({
    port: readPort(flags.port),
    hook: readHook(flags.hook),
    account: readNumber(flags.account),
    registered: flags.unregistered !== true,
    mode: flags.mode,
    answerForm: flags.answers,
    statePath: openState(flags.state),
    log: jsonLog({ process: "signal-simulator", level: "info", clock: systemClock, write }),
  });
  if (process.send) process.send({ ready: true, url: simulator.url });
  else
    print(
      `A stand-in for Signal listens at ${simulator.url}: a page to write to the bot, for scripts POST /messages.\n`,
    );
  await aborted(stop);
}

function openState(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, stateFileName);
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= maxPort) return port;
  throw mistake(`--port takes a whole number from 0 to ${maxPort}, not "${text}".`, "Leave it out for any free port.");
}

/** A password may be in it, so it is not repeated. */
function readHook(text: string | undefined): string | undefined {
  if (text === undefined || /^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text;
  throw mistake(
    "--hook takes the http or https URL of a webhook.",
    "Give it as http://user:password@127.0.0.1:port/path.",
  );
}

function readNumber(text: string | undefined): string | undefined {
  if (text === undefined || numberPattern.test(text)) return text;
  throw mistake(`--account takes a number with its country code, not "${text}".`, "Leave it out for +15550000001.");
}

function mistake(why: string, remedy: string): CliError {
  return new CliError({ what: "The simulator of Signal did not start.", why, remedy });
}
