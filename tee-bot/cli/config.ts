/** `postern config`: checks `postern.yaml`, shows what is in force, changes the file. */
import type { Command } from "commander";
import type * as actions from "./config-actions.ts";
import { defaultStateDirectory } from "../settings/settings-file.ts";
import { print, runCommand } from "./command.ts";

interface ConfigFlags {
  config?: string;
  state?: string;
  json?: boolean;
}

export function addConfigCommands(program: Command): void {
  const config = program.command("config").description("check, show and change the settings: postern.yaml");

  withFlags(config.command("check"))
    .description("list all mistakes in the settings; exit code 1 if there are any")
    .argument("[file]", "the settings (default: as postern start would take them)")
    .action((file: string | undefined, flags: ConfigFlags) =>
      run("The settings cannot be used.", ({ checkSettings }) => checkSettings(environmentOf(flags, file))),
    );

  withFlags(config.command("show"))
    .description("print the settings in force, and where each comes from")
    .option("--json", "as JSON")
    .action((flags: ConfigFlags) =>
      run("The settings cannot be used.", ({ showSettings }) =>
        showSettings(environmentOf(flags), flags.json ?? false),
      ),
    );

  withFlags(config.command("migrate"))
    .description("write the file in the shape of this version; the old one is kept beside as .bak")
    .action((flags: ConfigFlags) =>
      run("Nothing was migrated.", ({ migrateSettings }) => migrateSettings(environmentOf(flags))),
    );

  withFlags(config.command("set"))
    .description("change one setting in the file; comments and order stay")
    .argument("<setting>", "such as gateway.strategy, as postern config show lists them")
    .argument("<value>", "as in the file; lists and tables as [a, b] and {a: b}")
    .action((setting: string, value: string, flags: ConfigFlags) =>
      run("Nothing was changed.", ({ changeSetting }) => changeSetting(environmentOf(flags), setting, value)),
    );
}

function withFlags(command: Command): Command {
  return command
    .option("--config <file>", "the settings (POSTERN_CONFIG; default: postern.yaml in the state directory)")
    .option("--state <dir>", `where the node keeps its keys (POSTERN_STATE; default: ${defaultStateDirectory})`);
}

function environmentOf({ config, state }: ConfigFlags, file = config): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...(file !== undefined && { POSTERN_CONFIG: file }),
    ...(state !== undefined && { POSTERN_STATE: state }),
  };
}

/** The schema is loaded by these commands alone. */
function run(what: string, action: (all: typeof actions) => string): Promise<void> {
  return runCommand(what, async () => print(action(await import("./config-actions.ts"))));
}
