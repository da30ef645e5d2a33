import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../launcher/options.ts";
import { projectRoot } from "../wrangler.ts";
import { envSettings } from "./settings.ts";

export interface SetupOptions {
  /** Absolute path of the compose file's `.env`. */
  readonly env: string;
  readonly compose: string;
  /** Settings that flags or the environment give, by name. */
  readonly given: Readonly<Record<string, string>>;
  /** A signal-cli-rest-api that runs already, to be looked at. */
  readonly api: string | undefined;
  readonly newSecret: boolean;
  /** Never ask. */
  readonly yes: boolean;
}

export const usage = `node scripts/setup-signal.ts [options]

Prepares deploy/signal: writes its .env with a secret for the webhook, images by digest and the bot's account, and looks at
a signal-cli-rest-api that runs already. Run it again at any time: what is there stays. docs/signal.md explains the rest.

${envSettings.map(({ flag, question }) => `  ${`--${flag} TEXT`.padEnd(22)} ${question}`).join("\n")}
  --api URL              look at the REST server there: mode, log level, trust, accounts
  --env FILE             another file than deploy/signal/.env
  --new-secret           make the webhook's secret anew
  --yes                  never ask
  --help                 this text

Each may be given in the environment too: ${envSettings.map(({ name }) => name).join(", ")}.
`;

/** Undefined when help was asked for. Throws {@link UsageError}. */
export function parseSignalSetup(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  directory: string,
): SetupOptions | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  let values: Record<string, string | boolean | undefined>;
  try {
    const flags = Object.fromEntries(envSettings.map((setting) => [setting.flag, text]));
    const options = { ...flags, api: text, env: text, "new-secret": flag, yes: flag, help: flag };
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values["help"] === true) return undefined;
  const textOf = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  const given: Record<string, string> = {};
  for (const setting of envSettings) {
    const value = textOf(setting.flag) ?? environment[setting.name];
    if (value !== undefined && value !== "") given[setting.name] = value;
  }
  const folder = join(projectRoot, "deploy", "signal");
  return {
    env: resolve(directory, textOf("env") ?? join(folder, ".env")),
    compose: join(folder, "compose.yaml"),
    given,
    api: textOf("api"),
    newSecret: values["new-secret"] === true,
    yes: values["yes"] === true,
  };
}
