/** `postern signal pair`: lets in a person or a group by a code. */
import type { Command } from "commander";
import { timeInWords } from "../../shared/acme/words.ts";
import { pairingCodeSchema } from "../control/signal-messages.ts";
import { print, runCommand, stateFlag, stateOf } from "./command.ts";
import { askNode } from "./control-client.ts";

export function addPairCommand(signal: Command): void {
  signal
    .command("pair")
    .description("make a code by which one person or one group may talk to the bot (policy: pairing)")
    .option(...stateFlag)
    .option("--json", "as JSON")
    .action((flags: { json?: boolean }, command: Command) =>
      runCommand("No pairing code was made.", async () => {
        const made = await askNode(stateOf(command), "POST", "/v1/signal/pairing", pairingCodeSchema);
        print(flags.json === true ? `${JSON.stringify(made)}\n` : formatCode(made));
      }),
    );
}

function formatCode({ code, expiresAt }: { code: string; expiresAt: number }): string {
  return `${code}

  It is good once, until ${timeInWords(expiresAt)}. Hand it over in a way that you trust.
  A person sends it to the bot as a message; in a group, somebody mentions the bot with it.
`;
}
