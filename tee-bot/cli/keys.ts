/** `postern keys`: the API keys of the running node's gateway. */
import type { Command } from "commander";
import { systemClock } from "../../shared/clock.ts";
import { keyListSchema, listedKeySchema, madeKeySchema } from "../control/key-messages.ts";
import { keyWishSchema, type KeyWish } from "../gateway/access/api-key.ts";
import { print, runCommand, stateFlag, stateOf } from "./command.ts";
import { askNode, askStatus } from "./control-client.ts";
import { curlOf } from "./curl.ts";
import { parseDuration } from "./duration.ts";
import { CliError } from "./failure.ts";
import { formatKeyList, formatMadeKey } from "./keys-view.ts";

const jsonFlag = ["--json", "as JSON"] as const;

interface CreateFlags {
  name: string;
  expires?: string;
  models?: string;
  rpm?: string;
  tpm?: string;
  monthlyTokens?: string;
  json?: boolean;
}

export function addKeyCommands(program: Command): void {
  const keys = program.command("keys").description("make, list and revoke API keys of the running node's gateway");

  keys
    .command("create")
    .description("make a key; its text is shown once")
    .requiredOption("--name <name>", "whose or what it is for")
    .option("--expires <time>", "how long it is good: 90m, 12h, 30d, 8w (default: for ever)")
    .option("--models <names>", "models it is for, comma-separated, * for any text (default: all)")
    .option("--rpm <count>", "requests a minute")
    .option("--tpm <count>", "tokens a minute")
    .option("--monthly-tokens <count>", "tokens a calendar month (UTC)")
    .option(...stateFlag)
    .option(...jsonFlag)
    .action((flags: CreateFlags, command: Command) =>
      runCommand("No key was made.", () => create(stateOf(command), flags)),
    );

  keys
    .command("list")
    .description("list the keys that there are")
    .option("--all", "also those that have expired or were revoked")
    .option(...stateFlag)
    .option(...jsonFlag)
    .action((flags: { all?: boolean; json?: boolean }, command: Command) =>
      runCommand("The keys are not known.", async () => {
        const { keys: known } = await askNode(stateOf(command), "GET", "/v1/keys", keyListSchema);
        const shown = known.filter(({ state }) => flags.all === true || state === "active");
        print(flags.json === true ? `${JSON.stringify(shown)}\n` : formatKeyList(shown, systemClock.now()));
      }),
    );

  keys
    .command("revoke")
    .description("end a key at once; calls under way with it go on to their end")
    .argument("<id|name>")
    .option(...stateFlag)
    .option(...jsonFlag)
    .action((idOrName: string, flags: { json?: boolean }, command: Command) =>
      runCommand("No key was revoked.", async () => {
        const path = `/v1/keys/${encodeURIComponent(idOrName)}`;
        const key = await askNode(stateOf(command), "DELETE", path, listedKeySchema);
        print(flags.json === true ? `${JSON.stringify(key)}\n` : `${key.name} (${key.id}) is revoked.\n`);
      }),
    );
}

async function create(state: string, flags: CreateFlags): Promise<void> {
  const wish = wishOf(flags, systemClock.now());
  const made = await askNode(state, "POST", "/v1/keys", madeKeySchema, wish);
  if (flags.json === true) return print(`${JSON.stringify(made)}\n`);
  const status = await askStatus(state);
  print(formatMadeKey(made, status.url === null ? undefined : curlOf(state, status.url, made.text)));
}

/** Throws {@link CliError}, which names every flag that cannot be used. */
function wishOf({ name, expires, models, rpm, tpm, monthlyTokens }: CreateFlags, now: number): KeyWish {
  const lifeMs = expires === undefined ? undefined : parseDuration(expires);
  const read = keyWishSchema.safeParse({
    name,
    ...(expires !== undefined && { expiresAt: lifeMs === undefined ? expires : now + lifeMs }),
    ...(models !== undefined && { models: models.split(",").map((model) => model.trim()) }),
    ...(rpm !== undefined && { requestsPerMinute: Number(rpm) }),
    ...(tpm !== undefined && { tokensPerMinute: Number(tpm) }),
    ...(monthlyTokens !== undefined && { tokensPerMonth: Number(monthlyTokens) }),
  });
  if (read.success) return read.data;
  const wrong = [...new Set(read.error.issues.map(({ path }) => String(path[0])))];
  throw new CliError({
    what: "No key was made.",
    why: wrong.map((field) => mistakes[field] ?? field).join("\n"),
    remedy: "Give it otherwise; postern keys create --help lists the flags.",
  });
}

const mistakes: Readonly<Record<string, string>> = {
  name: "--name takes letters, digits, spaces, dots, dashes, @ and _, at most 64, and does not begin with key_.",
  expiresAt: "--expires takes a number and m, h, d or w: 90m, 12h, 30d, 8w.",
  models: "--models takes at most 100 names, comma-separated, none empty.",
  requestsPerMinute: "--rpm takes a whole number of at least 1.",
  tokensPerMinute: "--tpm takes a whole number of at least 1.",
  tokensPerMonth: "--monthly-tokens takes a whole number of at least 1.",
};
