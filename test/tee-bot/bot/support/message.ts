import type { Chat, MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import { alice, messageOf, team } from "./events.ts";

/** What Alice says to the bot alone, at a time, unless it is told otherwise. */
export function message(text: string, timestamp: number, more: Partial<MessageEvent> = {}): MessageEvent {
  return messageOf(more.person ?? alice, timestamp, text, more);
}

export const inGroup: { readonly chat: Chat } = { chat: { kind: "group", group: team } };
