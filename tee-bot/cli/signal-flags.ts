/** What the commands of `postern signal` have in common: the settings, and the REST server that these name. */
import type { Command } from "commander";
import { onTermination } from "../../shared/nodejs/termination.ts";
import type { AccountApi } from "../bot/account/account-api.ts";
import { AccountError } from "../bot/account/account-error.ts";
import type { SignalSettings } from "../bot/settings.ts";
import { defaultStateDirectory } from "../settings/settings-file.ts";
import { runCommand } from "./command.ts";
import { CliError } from "./failure.ts";
import { printable } from "./printable.ts";

export interface SignalFlags {
  api?: string;
  config?: string;
  state?: string;
}

export interface SignalContext {
  readonly settings: SignalSettings;
  /** Of the node. */
  readonly directory: string;
  /** Of the REST server. */
  readonly api: string;
  readonly account: AccountApi;
  /** Aborts when the command is told to stop. */
  readonly stop: AbortSignal;
}

export function withSignalFlags(command: Command): Command {
  return command
    .option("--api <url>", "the signal-cli-rest-api (default: signal.api of the settings, POSTERN_SIGNAL_API)")
    .option("--config <file>", "the settings (POSTERN_CONFIG; default: postern.yaml in the state directory)")
    .option("--state <dir>", `where the node keeps its keys (POSTERN_STATE; default: ${defaultStateDirectory})`);
}

/** As a shell has it for a program that Ctrl-C ended. */
const interruptedExitCode = 130;

/** Runs a command that talks to the REST server; what this refuses is told with what to do. */
export function runSignalCommand(
  what: string,
  flags: SignalFlags,
  action: (context: SignalContext) => Promise<void>,
): Promise<void> {
  const stop = onTermination();
  return runCommand(what, async () => {
    try {
      await action(await openSignal(what, flags, stop));
    } catch (error) {
      if (stop.aborted) process.exitCode = interruptedExitCode;
      if (stop.aborted || !(error instanceof AccountError)) throw error;
      const remedy =
        error.status === undefined
          ? "Start it, or mend signal.api in postern.yaml; docs/signal.md says how it is run."
          : "postern signal status says whether it is well; its own log says more.";
      throw new CliError({ what, why: printable(error.message), remedy }, { cause: error });
    }
  });
}

/**
 * Settings of the file and of this environment, or where these name no address those that the node runs with, as
 * `npm start` gives them. Throws {@link CliError}: settings that cannot be used, or no address. The schemas are loaded here, for these commands alone. */
async function openSignal(what: string, flags: SignalFlags, stop: AbortSignal): Promise<SignalContext> {
  const { loadSettings } = await import("../settings/load-settings.ts");
  const { openAccountApi } = await import("../bot/account/account-api.ts");
  const environment = {
    ...process.env,
    ...(flags.api !== undefined && { POSTERN_SIGNAL_API: flags.api }),
    ...(flags.config !== undefined && { POSTERN_CONFIG: flags.config }),
    ...(flags.state !== undefined && { POSTERN_STATE: flags.state }),
  };
  const read = loadSettings(environment);
  if (!read.ok)
    throw new CliError({ what, why: read.mistakes.join("\n"), remedy: "Mend them: postern config check lists all." });
  const directory = environment["POSTERN_STATE"] || defaultStateDirectory;
  const written = read.effective.settings.signal;
  const settings =
    written.api === undefined ? await (await import("./signal-look.ts")).settingsOfBot(directory) : written;
  if (settings?.api === undefined)
    throw new CliError({
      what,
      why: "The settings name no signal-cli-rest-api, so there is no bot.",
      remedy: "Set signal.api in postern.yaml (or POSTERN_SIGNAL_API), or give --api, such as http://127.0.0.1:8080.",
    });
  return {
    settings,
    directory,
    api: settings.api,
    account: openAccountApi(settings.api, stop),
    stop,
  };
}

/** The account that is meant where nobody says which: that of the settings, else the only one there is. */
export async function chooseAccount(what: string, { settings, account }: SignalContext): Promise<string> {
  if (settings.account !== undefined) return settings.account;
  const numbers = await account.accounts();
  const [only, another] = numbers;
  if (only !== undefined && another === undefined) return only;
  throw new CliError(
    only === undefined
      ? {
          what,
          why: "The REST server has no account.",
          remedy: "Make one: postern signal link, or postern signal register.",
        }
      : {
          what,
          why: `The REST server has ${numbers.length} accounts, and the settings do not say which is the bot's.`,
          remedy: "Set signal.account in postern.yaml to its number.",
        },
  );
}
