/** The command line of a relay, and the file that it may name. */
import { readFileSync } from "node:fs";
import { parseArgs, parseEnv } from "node:util";
import { errorText } from "../shared/errors.ts";

export const usage = `postern-relay [--config FILE] [--check-config]

  --config FILE    settings as NAME=value lines, as systemd's EnvironmentFile; the environment wins over it
  --check-config   says what is wrong with the settings, or what they come to, and ends
  --help           this

docs/run-a-relay.md lists the settings.
`;

export interface RelayOptions {
  help: boolean;
  checkConfig: boolean;
  /** The environment, over what the file says. */
  environment: NodeJS.ProcessEnv;
}

/** Throws an error for the operator when an option is unknown or the file cannot be read. */
export function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv): RelayOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: "string" }, "check-config": { type: "boolean" }, help: { type: "boolean" } },
  });
  return {
    help: values.help ?? false,
    checkConfig: values["check-config"] ?? false,
    environment: { ...(values.config !== undefined && readConfigFile(values.config)), ...environment },
  };
}

function readConfigFile(path: string): NodeJS.Dict<string> {
  const settings = parseEnv(readText(path));
  const foreign = Object.keys(settings).filter((name) => !/^(RELAY_[A-Z_]+|LOG_LEVEL|ACCESS_LOG)$/.test(name));
  if (foreign.length > 0) throw new Error(`${path} has what is no setting of a relay: ${foreign.join(", ")}`);
  return settings;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`The file of --config cannot be read: ${errorText(error)}`, { cause: error });
  }
}
