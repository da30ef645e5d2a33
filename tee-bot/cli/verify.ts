/** `postern verify`: checks a node on a connection of its own, or a proof file again. */
import type { Command } from "commander";
import { print, runCommand } from "./command.ts";
import type { VerifyFlags } from "./verify-actions.ts";

/** Exit codes: 0 verified, 1 refused, 2 could not check, which is also what every mistake in the command is. */
const couldNotCheckExitCode = 2;

export function addVerifyCommand(program: Command): void {
  program
    .command("verify")
    .description(
      "check on a connection of its own that a name leads into a TEE, and to which code; or check a proof file again",
    )
    .argument("<what>", "https://name, name, name:port, or a proof file")
    .option("--policy <file>", "what to insist on, as YAML or JSON: compose hashes, systems, firmware, the node's id")
    .option("--require <checks>", "checks that have to pass besides those of the policy, such as gpu,caa")
    .option("--save <file>", "write a proof that can be checked again offline")
    .option("--json", "the report as JSON")
    .option("--cacert <file>", "the CA to trust instead of those of this machine (PEM)")
    .option("--connect <host:port>", "where to connect to, if not where DNS leads")
    .option("--collateral <url>", 'who repeats Intel\'s word on platforms; "shown" takes what the node shows')
    .option("--resolver <url>", "who is asked for CAA records, by DNS over HTTPS")
    .option(
      "--simulator-root <file>",
      "accept quotes of the simulator with this root (PEM); the verdict is then SIMULATED",
    )
    .option(
      "--signal-identity <digits>",
      "the safety number that your Signal shows for the node's bot, to be compared (or the bot's key, in hex)",
    )
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : couldNotCheckExitCode))
    .action((what: string, flags: VerifyFlags) => {
      process.exitCode = couldNotCheckExitCode;
      return runCommand("Nothing was checked.", async () => {
        const { verify } = await import("./verify-actions.ts"); // the verifiers, which the other commands do without
        const { text, exitCode, unsaved } = await verify(what, flags);
        print(text);
        process.exitCode = exitCode;
        if (unsaved) throw unsaved;
      });
    });
}
