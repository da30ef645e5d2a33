import type { Command } from "./command.ts";
import type { MessageEvent } from "../events/event.ts";
import { findCommand } from "./parse-command.ts";

const introduction =
  "Write me anything, and a private model answers.\nIn a group, mention me or reply to one of my messages.";
const escape = "To say something to the model that begins with `!`, put a space before it.";

/** `commands`: all there are, asked when help is. */
export function helpCommand(commands: () => readonly Command[]): Command {
  return {
    name: "help",
    aliases: ["commands"],
    usage: "!help",
    summary: "lists what I can do; `!help model` tells more of one command",
    detail: "Lists the commands that you can use here. With the name of one behind it, tells more of that.",
    run: ({ event, rest }) =>
      Promise.resolve({ text: rest === "" ? listing(event, commands()) : detail(event, rest, commands()) }),
  };
}

function listing(event: MessageEvent, commands: readonly Command[]): string {
  const usable = commands.filter((one) => one.refusal?.(event) === undefined);
  const lines = usable.map(({ usage, summary }) => `- **${usage}** ${summary}`);
  return `${introduction}\n\n${lines.join("\n")}\n\n${escape}`;
}

function detail(event: MessageEvent, rest: string, commands: readonly Command[]): string {
  const [word = ""] = rest.split(/\s/, 1);
  const command = findCommand(word.replace(/^[!/]/, ""), commands);
  if (!command) return "I know no such command. `!help` lists what I know.";
  const refusal = command.refusal?.(event);
  return [`**${command.usage}**`, command.detail, ...(refusal === undefined ? [] : [refusal])].join("\n\n");
}
