import { systemClock } from "../../shared/clock.ts";
import { jsonLog } from "../../shared/log.ts";
import { onTermination } from "../../shared/nodejs/termination.ts";
import { collectBuffersYoung } from "../../shared/nodejs/young-buffers.ts";
import { readConfig, tryReadConfig, type NodeConfig } from "../config.ts";
import type { NodeStatus } from "../control/status.ts";
import { runNode } from "../node.ts";
import { findMisspelt } from "../settings/environment.ts";
import { settingsVersion } from "../settings/schema.ts";
import { print, wantsColor } from "./command.ts";
import { CliError, describeFailure } from "./failure.ts";
import { statusPrinter } from "./status-printer.ts";
import { boundYoungGeneration } from "./young-generation.ts";

export interface StartFlags {
  config?: string;
  edge?: string;
  state?: string;
  alias?: string;
  expose?: string;
  acmeAccount?: string;
  tunnel?: string;
  tee?: string;
  gatewayPort?: string;
  controlPort?: string;
}

/** Exit status for settings that cannot be used: starting again would not help. */
export const settingsExitCode = 2;
/** Exit status when another process has taken the name: a supervisor should not restart this one. */
export const supersededExitCode = 3;

/** `postern start`: runs a node in this process until it is told to stop. */
export async function start(flags: StartFlags): Promise<void> {
  collectBuffersYoung();
  boundYoungGeneration();
  const stop = onTermination();
  const environment = {
    ...process.env,
    ...(flags.config !== undefined && { POSTERN_CONFIG: flags.config }),
    ...(flags.edge !== undefined && { POSTERN_EDGE: flags.edge }),
    ...(flags.state !== undefined && { POSTERN_STATE: flags.state }),
    ...(flags.alias !== undefined && { POSTERN_ALIAS: flags.alias }),
    ...(flags.expose !== undefined && { POSTERN_EXPOSE: flags.expose }),
    ...(flags.acmeAccount !== undefined && { POSTERN_ACME_ACCOUNT: flags.acmeAccount }),
    ...(flags.tunnel !== undefined && { POSTERN_TUNNEL: flags.tunnel }),
    ...(flags.tee !== undefined && { POSTERN_ATTESTATION_TEE: flags.tee }),
    ...(flags.gatewayPort !== undefined && { POSTERN_GATEWAY_PORT: flags.gatewayPort }),
    ...(flags.controlPort !== undefined && { POSTERN_CONTROL_PORT: flags.controlPort }),
  };
  const config = readSettings(environment);
  const write = (line: string): void => void process.stderr.write(`${line}\n`);
  const log = jsonLog({ process: "node", level: config.logLevel, clock: systemClock, write });

  for (const misspelt of findMisspelt(environment)) log.warn("variable.ignored", { ...misspelt });
  if (config.settings.version < settingsVersion)
    log.info("config.migrated", {
      file: config.settings.path,
      from: config.settings.version,
      to: settingsVersion,
      remedy: "postern config migrate writes it",
    });

  const show = statusPrinter({ write: print, terminal: process.stdout.isTTY, color: wantsColor(), clock: systemClock });
  const onStatus = (status: NodeStatus): void => {
    if (process.send) process.send({ status });
    else show(status);
  };

  const outcome = await runNode(
    { config, reread: () => tryReadConfig(environment), clock: systemClock, log, onStatus },
    stop,
  );
  if (outcome === "superseded") {
    process.exitCode = supersededExitCode;
    throw new CliError({
      what: "This node has stopped serving its name.",
      why: "Another process has registered the same key since; the newest one holds the name.",
      remedy: "Stop one of the two, or give this one a key of its own: another --state directory.",
    });
  }
}

function readSettings(environment: NodeJS.ProcessEnv): NodeConfig {
  try {
    return readConfig(environment);
  } catch (error) {
    process.exitCode = settingsExitCode;
    const failure = describeFailure("The node did not start.", error);
    throw new CliError(
      {
        ...failure,
        remedy: "Mend them in postern.yaml, or give each as a flag or variable; postern start --help lists both.",
      },
      { cause: error },
    );
  }
}
