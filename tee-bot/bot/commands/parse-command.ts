/** Tells commands from what is meant for the model. */
import { nearName } from "../../settings/near-name.ts";
import type { Command, ReadCommand, Reading } from "./command.ts";
import { codeSpan } from "./words.ts";

/** What stands for a mention in a message's text. */
const mentionMark = "\uFFFC";
const markBefore = new RegExp(`^[\\s${mentionMark}]*${mentionMark}\\s*`, "u");
/** Of a word that is none of ours, in the answer. */
const shownBeginning = /^.{0,32}/su;

/** Reads a message with these commands. */
export function readerOf(commands: readonly Command[]): ReadCommand {
  return ({ text, isMention }) => parseCommand(text.reveal(), isMention, commands);
}

/**
 * A command is `!` or `/` and exactly its name as the first word, in any case. `\!` or a space before it makes it text; where
 * the bot is mentioned (`isMention`), the space may be the mention's. `!` without a letter behind is text, as is `/` before
 * anything but a word: `/etc/hosts`. What looks like a command and is none goes to no model either, since it may be a slip
 * in `!forget me`.
 */
export function parseCommand(text: string, isMention: boolean, commands: readonly Command[]): Reading {
  const said = withoutMention(text, isMention);
  const written = splitCommand(said);
  if (!written) return { kind: "text", text: said.replace(/^(?:\\|\s+)(?=[!/])/u, "") };
  const command = findCommand(written.word, commands);
  if (command) return { kind: "command", command, rest: written.rest };
  return { kind: "unknown", say: describeUnknown(written.word, commands) };
}

/** By its name or another one for it, in any case. */
export function findCommand<C extends Pick<Command, "name" | "aliases">>(
  word: string,
  commands: readonly C[],
): C | undefined {
  const name = word.toLowerCase();
  return commands.find((one) => one.name === name || one.aliases.includes(name));
}

/** The word of what is written as a command, and what stands behind it. */
export function splitCommand(said: string): { word: string; rest: string } | undefined {
  const written = /^(?:!(?=\p{L})|\/(?=[\p{L}\p{N}_-]+(?:\s|$)))(?<word>\S+)(?<rest>.*)$/su.exec(said)?.groups;
  return written && { word: written["word"] ?? "", rest: (written["rest"] ?? "").trim() };
}

export function withoutMention(text: string, isMention: boolean): string {
  const said = text.replace(markBefore, "");
  return isMention ? said.trimStart() : said;
}

function describeUnknown(word: string, commands: readonly Command[]): string {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  const near = nearName(word, names);
  const meant = near === undefined ? "`!help` lists what I know." : `Did you mean \`!${near}\`?`;
  const shown = shownBeginning.exec(word)?.[0] ?? "";
  return `I know no command ${codeSpan(`!${shown}`)}. ${meant} To say it to the model, put a space before it.`;
}
