/** `postern signal challenge`: lifts a limit that Signal has put on the bot's account. */
import type { Command } from "commander";
import { print } from "./command.ts";
import { CliError } from "./failure.ts";
import {
  chooseAccount,
  runSignalCommand,
  withSignalFlags,
  type SignalContext,
  type SignalFlags,
} from "./signal-flags.ts";
import { readCaptcha } from "./signal-words.ts";

const what = "The limit stays.";

export function addChallengeCommand(signal: Command): void {
  withSignalFlags(signal.command("challenge"))
    .description("answer Signal's challenge, after which the account may send again")
    .argument("<token>", "as postern signal status shows it")
    .argument("<captcha>", "signalcaptcha://…, from https://signalcaptchas.org/challenge/generate.html")
    .action((token: string, captcha: string, flags: SignalFlags) =>
      runSignalCommand(what, flags, (context) => answer(context, token, captcha)),
    );
}

async function answer(context: SignalContext, token: string, text: string): Promise<void> {
  const captcha = readCaptcha(text);
  // One for registering is refused by Signal, without a word that says why.
  if (captcha === undefined || captcha.includes(".registration."))
    throw new CliError({
      what,
      why:
        captcha === undefined
          ? "The second argument is no signalcaptcha:// link."
          : "That captcha is one for registering.",
      remedy:
        "Open https://signalcaptchas.org/challenge/generate.html in a browser, solve it, copy the link of \"Open Signal\", and put it between ' and '.",
    });
  await context.account.answerChallenge(await chooseAccount(what, context), token.trim(), captcha);
  const { askBotToRetry } = await import("./signal-look.ts");
  const goesOn = await askBotToRetry(context.directory);
  print(`The challenge is answered. ${goesOn ? "The bot sends again." : "The bot sends again when its node runs."}\n`);
}
