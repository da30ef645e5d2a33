/** `postern tee simulate`: a confidential VM that is none, for trying what needs one. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { systemClock } from "../../shared/clock.ts";
import { jsonLog } from "../../shared/log.ts";
import { aborted, onTermination } from "../../shared/nodejs/termination.ts";
import { defaultGeneration, defaultQuoteMs } from "../attestation/simulator/defaults.ts";
import { generations, type Generation } from "../attestation/simulator/guest/generation.ts";
import { print, runCommand, stateFlag, wantsColor } from "./command.ts";
import { CliError } from "./failure.ts";
import { formatSimulator } from "./tee-view.ts";

interface SimulateFlags {
  state: string;
  socket?: string;
  tappdSocket?: string;
  workerPort?: string;
  generation: Generation;
  eventLog: "1" | "2";
  compose?: string;
  pcsPort: string;
  quoteMs: string;
}

/** As dstack's. */
const maxComposeBytes = 256 * 1024;
const maxPort = 65_535;
const maxQuoteMs = 60_000;

export function addTeeCommands(program: Command): void {
  program
    .command("tee")
    .description("what a node's TEE is made of")
    .command("simulate")
    .description("run a stand-in for a TEE until it is told to stop; nothing that it says proves anything")
    .option(stateFlag[0], "the simulator's keys are kept in its folder simulator", stateFlag[2])
    .option("--socket <path>", "where the guest agent listens (default: simulator/dstack.sock in the state directory)")
    .option("--tappd-socket <path>", "where the legacy agent listens (default: nowhere)")
    .addOption(
      new Option("--generation <which>", "0.5 has events, 0.6 knows GPUs")
        .choices(generations)
        .default(defaultGeneration),
    )
    .addOption(new Option("--event-log <version>", "how digests of events are made").choices(["1", "2"]).default("1"))
    .option("--compose <file>", "what is measured as the application (default: a compose text of its own)")
    .option("--pcs-port <port>", "where the collateral is, on loopback", "0")
    .option("--quote-ms <ms>", "how long a quote takes; one is made at a time", String(defaultQuoteMs))
    .action((flags: SimulateFlags) => runCommand("The simulator did not start.", () => simulate(flags)));
}

async function simulate(flags: SimulateFlags): Promise<void> {
  const stop = onTermination();
  const { startSimulator } = await import("../attestation/simulator/simulator.ts"); // certificates, curves
  const write = (line: string): void => void process.stderr.write(`${line}\n`);
  await using simulator = await startSimulator({
    state: flags.state,
    socket: flags.socket,
    tappdSocket: flags.tappdSocket,
    workerPort: flags.workerPort === undefined ? undefined : wholeNumber("--worker-port", flags.workerPort, maxPort),
    generation: flags.generation,
    eventVersion: flags.eventLog === "2" ? 2 : 1,
    compose: flags.compose === undefined ? undefined : readCompose(flags.compose),
    pcsPort: wholeNumber("--pcs-port", flags.pcsPort, maxPort),
    quoteMs: wholeNumber("--quote-ms", flags.quoteMs, maxQuoteMs),
    clock: systemClock,
    log: jsonLog({ process: "tee-simulator", level: "info", clock: systemClock, write }),
  });
  const paths = { socket: resolve(simulator.socket), root: resolve(simulator.root) };
  if (process.send) process.send({ ready: true, tee: { simulated: true, ...paths, pcs: simulator.pcs } });
  else print(formatSimulator({ ...simulator, ...paths }, wantsColor()));
  await aborted(stop);
}

function readCompose(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > maxComposeBytes) throw new Error(`It has ${size} bytes; a compose file has at most ${maxComposeBytes}.`);
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError({
      what: "The simulator did not start.",
      why: `${path} cannot be read: ${why}`,
      remedy: "Name the file that the application is deployed with, or leave --compose out.",
    });
  }
}

function wholeNumber(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= max) return value;
  throw new CliError({
    what: "The simulator did not start.",
    why: `${flag} takes a whole number from 0 to ${max}, not "${text}".`,
    remedy: "Leave it out for the default.",
  });
}
