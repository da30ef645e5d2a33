/** `postern signal link`: the bot becomes a further device of an account that a telephone has. */
import type { Command } from "commander";
import { systemClock, type Clock } from "../../shared/clock.ts";
import type { AccountApi } from "../bot/account/account-api.ts";
import { print, wantsColor } from "./command.ts";
import { CliError } from "./failure.ts";
import { runSignalCommand, withSignalFlags, type SignalContext, type SignalFlags } from "./signal-flags.ts";
import { describeMode } from "./signal-words.ts";

interface LinkFlags extends SignalFlags {
  name: string;
  uri?: boolean;
}

const what = "Nothing was linked.";
const lookMs = 1_000;
/** Signal's servers give a code up after some minutes. */
const waitMs = 5 * 60_000;

export function addLinkCommand(signal: Command): void {
  withSignalFlags(signal.command("link"))
    .description("show a QR code by which a telephone makes the bot a device of its account")
    .option("--name <text>", "how the device is listed on the telephone", "Postern")
    .option("--uri", "print what the code says instead of the code")
    .action((flags: LinkFlags) => runSignalCommand(what, flags, (context) => link(context, flags)));
}

async function link({ account, stop }: SignalContext, flags: LinkFlags): Promise<void> {
  const { mode } = await account.about();
  const before = await account.accounts();
  const uri = await account.linkUri(flags.name);
  const { drawQrCode } = await import("./qr-code.ts");
  print(flags.uri ? `${uri}\n` : `\n${drawQrCode(uri, wantsColor())}\n${steps(flags.name)}`);
  const number = await untilLinked(account, before, { clock: systemClock, signal: stop });
  print(`\n  Linked: ${number}\n${describeMode(mode)}${next(number)}`);
}

function steps(name: string): string {
  return [
    "  On the telephone whose number the bot shall have (better one that is nobody's own):",
    "    1. Signal, Settings, Linked devices, Link new device",
    `    2. Scan the code above; the device is listed as "${name}"`,
    "",
    "  waiting for the telephone …",
    "",
  ].join("\n");
}

function next(number: string): string {
  return [
    "",
    `  signal.account: "${number}"   belongs into postern.yaml (or POSTERN_SIGNAL_ACCOUNT)`,
    "  postern signal status        says what is missing yet",
    "",
  ].join("\n");
}

/** The number of the account that was not there before. Throws {@link CliError} when none comes. */
export async function untilLinked(
  account: Pick<AccountApi, "accounts">,
  before: readonly string[],
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<string> {
  const deadline = clock.now() + waitMs;
  while (clock.now() < deadline) {
    await clock.sleep(lookMs, signal);
    const added = (await account.accounts()).find((number) => !before.includes(number));
    if (added !== undefined) return added;
  }
  throw new CliError({
    what,
    why: `No telephone has scanned the code within ${waitMs / 60_000} minutes, or its account was linked before.`,
    remedy: "Run postern signal link again for a new code; postern signal status lists the accounts that there are.",
  });
}
