/** The command alone, as a process. */
import { Command } from "commander";
import { addSimulateCommand } from "../../../../tee-bot/cli/signal-simulate.ts";

const program = new Command("signal");
addSimulateCommand(program);
await program.parseAsync();
