import type { BotEvent } from "../events/event.ts";

/** What must not wait for the answer in hand: the wish not to have it, and changes of what was said. */
export function isUrgent(event: BotEvent): boolean {
  if (event.kind !== "message") return event.kind === "deletion" || event.kind === "edit";
  const text = event.text.reveal();
  return /^[!/]stop(?:\s|$)/i.test(event.isMention ? text.trimStart() : text);
}
