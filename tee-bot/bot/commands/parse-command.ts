/** Tells commands from what is meant for the model. */
import { nearName } from "../../settings/near-name.ts";

/** How commands are called; several names may mean the same. */
export interface CommandNames {
  readonly name: string;
  readonly aliases: readonly string[];
}

export type Parsed<C extends CommandNames> =
  /** `rest`: what stands behind the word. */
  | { readonly kind: "command"; readonly command: C; readonly rest: string }
  /** No such command: told to the person, and never to the model, since it may be a slip in `!forget me`. */
  | { readonly kind: "unknown"; readonly word: string; readonly near: string | undefined }
  /** For the model, without what kept it from being a command. */
  | { readonly kind: "text"; readonly text: string };

/** What stands for a mention in a message's text. */
const mentionMark = "\uFFFC";
const markBefore = new RegExp(`^[\\s${mentionMark}]*${mentionMark}\\s*`, "u");

/**
 * A command is `!` or `/` and exactly its name as the first word, in any case. `\!` or a space before it makes it text; where
 * the bot is mentioned (`isMention`), the space may be the mention's. `!` without a letter behind is text, as is `/` before
 * anything but a word: `/etc/hosts`.
 */
export function parseCommand<C extends CommandNames>(
  text: string,
  isMention: boolean,
  commands: readonly C[],
): Parsed<C> {
  const said = isMention ? text.replace(markBefore, "").trimStart() : text.replace(markBefore, "");
  const written = /^(?:!(?=\p{L})|\/(?=[\p{L}\p{N}_-]+(?:\s|$)))(?<word>\S+)(?<rest>.*)$/su.exec(said)?.groups;
  if (!written) return { kind: "text", text: said.replace(/^(?:\\|\s+)(?=[!/])/u, "") };
  const { word = "", rest = "" } = written;
  const name = word.toLowerCase();
  const command = commands.find((one) => one.name === name || one.aliases.includes(name));
  if (command) return { kind: "command", command, rest: rest.trim() };
  const names = commands.flatMap((one) => [one.name, ...one.aliases]);
  return { kind: "unknown", word, near: nearName(word, names) };
}
