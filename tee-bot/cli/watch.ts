/** `postern watch`: certificates and CAA records that let somebody else answer for a name. Anyone can run it. */
import type { Command } from "commander";
import { webhookSecretVariable } from "../attestation/transparency/webhook.ts";
import { runCommand, stateFlag } from "./command.ts";
import type { WatchFlags } from "./watch-actions.ts";

/** Exit codes: 0 nothing foreign, 1 something foreign, 2 could not check, which is also what every mistake is. */
const couldNotCheck = 2;

const again = "; may be given again";
const listed = (value: string, before: string[]): string[] => [...before, value];

export function addWatchCommand(program: Command): void {
  program
    .command("watch")
    .description(
      "tell of certificates for names whose key their node has not attested, and of CAA records that allow them",
    )
    .argument("<name...>", "public names, such as alice.example.net")
    .option(
      "--log <url>",
      `a log's URL (its monitoring prefix; rfc6962+https://… for the older API), its key after a #${again}`,
      listed,
      [],
    )
    .option("--log-list <file>", "read the usable logs of a list in the form of Chrome's log_list.json")
    .option("--from <where>", "where to begin in a log not read before: now, or the number of an entry", "now")
    .option(
      "--expect <sha256>",
      `a key that may be there (SHA-256 of its SubjectPublicKeyInfo, hex)${again}`,
      listed,
      [],
    )
    .option("--proof <file>", `a proof file of postern verify, whose keys may be there${again}`, listed, [])
    .option("--no-ask", "do not ask the nodes; only --expect, --proof and what was learned before count")
    .option("--policy <file>", "what to insist on of nodes and proofs, as for postern verify")
    .option("--simulator-root <file>", "take the word of the simulator with this root (PEM), which proves nothing")
    .option("--cacert <file>", "the CA to trust of nodes instead of those of this machine (PEM)")
    .option("--connect <host:port>", "where nodes are reached, if not where DNS leads")
    .option("--collateral <url>", 'who repeats Intel\'s word on platforms; "shown" takes what the node shows')
    .option("--account <uri>", `an ACME account that CAA may name, besides those attested${again}`, listed, [])
    .option("--resolver <url>", `a resolver (DNS over HTTPS) to look at CAA with${again}`, listed, [])
    .option("--no-caa", "leave CAA alone")
    .option("--webhook <url>", `send alerts there too, signed with the secret in ${webhookSecretVariable}`)
    .option("--every <time>", "how often to look: 5m, 1h", "5m")
    .option("--rate <count>", "entries a second that are read of each log", "1000")
    .option("--once", "look once; exit code 0: nothing foreign, 1: something foreign, 2: could not check")
    .option(stateFlag[0], "where it is kept what was seen", stateFlag[2])
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : couldNotCheck))
    .action((names: string[], flags: WatchFlags) => {
      process.exitCode = couldNotCheck; // unless it ends otherwise
      return runCommand("Nothing is watched.", async () => {
        const { watch } = await import("./watch-actions.ts"); // verifiers and logs, which the other commands do without
        process.exitCode = await watch(names, flags);
      });
    });
}
