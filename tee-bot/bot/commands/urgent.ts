import type { BotEvent } from "../events/event.ts";
import { findCommand, splitCommand, withoutMention } from "./parse-command.ts";
import { stopNames } from "./stop.ts";

/** What does not wait behind other mail of its chat: the author changes or takes back something, or wants an end. */
export function isUrgent(event: BotEvent): boolean {
  if (event.kind !== "message") return event.kind === "edit" || event.kind === "deletion";
  const written = splitCommand(withoutMention(event.text.reveal(), event.isMention));
  return written !== undefined && findCommand(written.word, [stopNames]) !== undefined;
}
