/** `postern signal`: the bot's account at Signal, and how the bot is. */
import type { Command } from "commander";

/** Each adds one command to the group; their help is in this order. */
const commands: readonly ((signal: Command) => void)[] = [];

export function addSignalCommands(program: Command): void {
  const signal = program.command("signal").description("the bot at Signal: its account, its mail, how it is");
  for (const add of commands) add(signal);
}
