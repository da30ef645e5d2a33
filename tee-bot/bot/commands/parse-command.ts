/** Tells commands from what is meant for the model. */
import { nearName } from "../../settings/near-name.ts";
import type { Command, Reading } from "./command.ts";

/** What stands for a mention in a message's text. */
const mentionMark = "\uFFFC";
const markBefore = new RegExp(`^[\\s${mentionMark}]*${mentionMark}\\s*`, "u");
/** Of a word that is none of ours, in the answer. */
const shownBeginning = /^.{0,32}/su;

/**
 * A command is `!` or `/` and exactly its name as the first word, in any case. `\!` or a space before it makes it text; where
 * the bot is mentioned (`isMention`), the space may be the mention's. `!` without a letter behind is text, as is `/` before
 * anything but a word: `/etc/hosts`. What looks like a command and is none goes to no model either, since it may be a slip
 * in `!forget me`.
 */
export function parseCommand(text: string, isMention: boolean, commands: readonly Command[]): Reading {
  const withoutMark = text.replace(markBefore, "");
  const said = isMention ? withoutMark.trimStart() : withoutMark;
  const written = /^(?:!(?=\p{L})|\/(?=[\p{L}\p{N}_-]+(?:\s|$)))(?<word>\S+)(?<rest>.*)$/su.exec(said)?.groups;
  if (!written) return { kind: "text", text: said.replace(/^(?:\\|\s+)(?=[!/])/u, "") };
  const { word = "", rest = "" } = written;
  const command = findCommand(word, commands);
  if (command) return { kind: "command", command, rest: rest.trim() };
  return { kind: "unknown", say: describeUnknown(word, commands) };
}

/** By its name or another one for it, in any case. */
export function findCommand(word: string, commands: readonly Command[]): Command | undefined {
  const name = word.toLowerCase();
  return commands.find((one) => one.name === name || one.aliases.includes(name));
}

function describeUnknown(word: string, commands: readonly Command[]): string {
  const near = nearName(
    word,
    commands.flatMap(({ name, aliases }) => [name, ...aliases]),
  );
  const meant = near === undefined ? "`!help` lists what I know." : `Did you mean \`!${near}\`?`;
  const shown = shownBeginning.exec(word.replaceAll("`", "'"))?.[0] ?? "";
  return `I know no command \`!${shown}\`. ${meant} To say it to the model, put a space before it.`;
}
