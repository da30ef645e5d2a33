/** `postern signal`: the bot's account at Signal, and how the bot is. */
import type { Command } from "commander";
import { addChallengeCommand } from "./signal-challenge.ts";
import { addChatCommand } from "./signal-chat.ts";
import { addLinkCommand } from "./signal-link.ts";
import { addPairCommand } from "./signal-pair.ts";
import { addReceiveCommand } from "./signal-receive.ts";
import { addRegisterCommand } from "./signal-register.ts";
import { addSimulateCommand } from "./signal-simulate.ts";
import { addStatusCommand } from "./signal-status.ts";
import { addTrustCommand } from "./signal-trust.ts";

/** Each adds one command to the group; their help is in this order. */
const commands: readonly ((signal: Command) => void)[] = [
  addLinkCommand,
  addRegisterCommand,
  addChallengeCommand,
  addTrustCommand,
  addStatusCommand,
  addPairCommand,
  addReceiveCommand,
  addSimulateCommand,
  addChatCommand,
];

export function addSignalCommands(program: Command): void {
  const signal = program.command("signal").description("the bot at Signal: its account, its mail, how it is");
  for (const add of commands) add(signal);
}
