/** `postern signal trust`: people whose safety number has changed, and with that their key, so that nothing is sent to them. */
import type { Command } from "commander";
import type { Identity } from "../bot/account/account-api.ts";
import { print } from "./command.ts";
import { CliError } from "./failure.ts";
import { printable } from "./printable.ts";
import {
  chooseAccount,
  runSignalCommand,
  withSignalFlags,
  type SignalContext,
  type SignalFlags,
} from "./signal-flags.ts";

interface TrustFlags extends SignalFlags {
  safetyNumber?: string;
}

const what = "Nobody is trusted anew.";

export function addTrustCommand(signal: Command): void {
  withSignalFlags(signal.command("trust"))
    .description("show whose safety number has changed, and trust it, so that replies to them go out")
    .argument("[person]", "uuid or number; without it, those who are not trusted are listed")
    .option("--safety-number <digits>", "trust it only if it is this one, as the person's telephone shows it")
    .action((person: string | undefined, flags: TrustFlags) =>
      runSignalCommand(what, flags, (context) =>
        person === undefined ? list(context) : trust(context, person, flags.safetyNumber),
      ),
    );
}

async function list(context: SignalContext): Promise<void> {
  const known = await context.account.identities(await chooseAccount(what, context));
  const untrusted = known.filter(({ status }) => status === "UNTRUSTED");
  print(untrusted.length === 0 ? "Everybody is trusted.\n" : untrusted.map(formatIdentity).join("\n"));
}

async function trust(context: SignalContext, person: string, given: string | undefined): Promise<void> {
  const safetyNumber = given?.replaceAll(/\s/g, "");
  if (safetyNumber !== undefined && !/^\d{60}$/.test(safetyNumber))
    throw new CliError({
      what,
      why: "A safety number has 60 digits.",
      remedy: "Copy it from the person's telephone: the chat's settings, then “View safety number”.",
    });
  await context.account.trust(await chooseAccount(what, context), person.trim(), safetyNumber);
  print("Trusted. Replies that wait for them go out within five minutes.\n");
}

function formatIdentity({ uuid, number, safety_number: digits }: Identity): string {
  const who = printable([uuid, number].filter((one) => one).join("  "));
  const groups = printable(digits).match(/.{1,5}/g) ?? [];
  return `${who}
  safety number  ${groups.join(" ")}
  compare it with theirs, then: postern signal trust ${printable((uuid || number) ?? "")} --safety-number '…'
`;
}
