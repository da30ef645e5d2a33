import type { MessageEvent } from "../events/event.ts";

/**
 * Whether a message is for the bot at all. In a group, people talk with each other: for it is only what mentions it, answers
 * to it or is a command, unless it is to answer to all.
 */
export function isAddressed(
  { chat, isMention, quote }: Pick<MessageEvent, "chat" | "isMention" | "quote">,
  isCommand: boolean,
  answer: "addressed" | "all",
): boolean {
  return chat.kind === "direct" || answer === "all" || isMention || isCommand || quote?.isOfBot === true;
}
