/** `postern signal register`: an account of the bot's own, made by hand as Signal's terms want it. */
import type { Command } from "commander";
import type { AccountApi } from "../bot/account/account-api.ts";
import { AccountError } from "../bot/account/account-error.ts";
import { print } from "./command.ts";
import { CliError } from "./failure.ts";
import { printable } from "./printable.ts";
import { runSignalCommand, withSignalFlags, type SignalContext, type SignalFlags } from "./signal-flags.ts";
import { readCaptcha, readNumber, registrationRemedy } from "./signal-words.ts";

interface RegisterFlags extends SignalFlags {
  captcha?: string;
  voice?: boolean;
  code?: string;
  pin?: string;
  name: string;
  about: string;
  username?: string;
}

const what = "Nothing was registered.";

export function addRegisterCommand(signal: Command): void {
  withSignalFlags(signal.command("register"))
    .description("register a number of the bot's own: once to have a code sent, and again with the code")
    .argument("<number>", "with its country, such as +15550000001; one that nobody uses with Signal")
    .option("--captcha <link>", "signalcaptcha://…, where Signal asks for it")
    .option("--voice", "have the code called instead of sent")
    .option("--code <digits>", "the code that came: finishes the registration")
    .option("--pin <pin>", "the registration lock of the number, where it has one (better as POSTERN_SIGNAL_PIN)")
    .option("--name <text>", "what people see the bot as", "Postern")
    .option("--about <text>", "the line below the name", "A private AI. Say !help")
    .option("--username <name>", "people find the bot by it, without its number")
    .action((number: string, flags: RegisterFlags) =>
      runSignalCommand(what, flags, ({ account }) => register(account, number, flags)),
    );
}

async function register(account: SignalContext["account"], text: string, flags: RegisterFlags): Promise<void> {
  const number = readNumber(text);
  if (number === undefined)
    throw new CliError({
      what,
      why: `"${printable(text)}" is no number with its country.`,
      remedy: "Write it as +15550000001.",
    });
  if (flags.code === undefined) await askForCode(account, number, flags);
  else await finish(account, number, flags.code, flags);
}

async function askForCode(account: AccountApi, number: string, { captcha, voice }: RegisterFlags): Promise<void> {
  const solved = captcha === undefined ? undefined : readCaptcha(captcha);
  if (captcha !== undefined && solved === undefined)
    throw new CliError({
      what,
      why: "--captcha takes the whole link that begins with signalcaptcha://.",
      remedy: "Copy the address of \"Open Signal\" and put it between ' and '.",
    });
  await refusedFor(number, () => account.register(number, { captcha: solved, byVoice: voice ?? false }));
  print(
    `\n  Signal ${voice ? "calls" : "sends a message to"} ${number}. When the code is there:\n\n    postern signal register ${number} --code 123456\n\n`,
  );
}

async function finish(account: AccountApi, number: string, code: string, flags: RegisterFlags): Promise<void> {
  const digits = code.replaceAll(/[\s-]/g, "");
  if (!/^\d{4,8}$/.test(digits))
    throw new CliError({ what, why: "--code takes the six digits that came.", remedy: "Read them again." });
  const pin = flags.pin ?? (process.env["POSTERN_SIGNAL_PIN"] || undefined);
  await refusedFor(number, () => account.verify(number, digits, pin));
  print(`\n  Registered: ${number}\n`);
  await tryTo("the profile is set", () => account.setProfile(number, { name: flags.name, about: flags.about }));
  await tryTo("nobody finds the bot by its number, or sees it", () => account.hideNumber(number));
  if (flags.username !== undefined) {
    const asked = flags.username;
    await tryTo("people find it by a username", async () => {
      print(`    username: ${printable(await account.setUsername(number, asked))}\n`);
    });
  }
  print(`\n  signal.account: "${number}"   belongs into postern.yaml (or POSTERN_SIGNAL_ACCOUNT)\n\n`);
}

/** The account is there; what fails now can be done again, and is no reason to register anew. */
async function tryTo(done: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
    print(`    ✓ ${done}\n`);
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    print(`    ✗ not yet: ${done}. ${printable(error.message)}\n`);
    process.exitCode = 1;
  }
}

async function refusedFor(number: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof AccountError) || error.status === undefined) throw error;
    const remedy = registrationRemedy(error.message, number);
    throw new CliError({ what, why: printable(error.message), remedy }, { cause: error });
  }
}
