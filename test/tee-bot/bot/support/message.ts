import { Sensitive } from "../../../../shared/sensitive.ts";
import type { Chat, MessageEvent } from "../../../../tee-bot/bot/events/event.ts";

export const ada = "5f1d0c1e-8a3b-4c2d-9e4f-00000000ada0";
export const bob = "5f1d0c1e-8a3b-4c2d-9e4f-00000000b0b0";
export const group = `${"A".repeat(43)}=`;
const account = "+15550000001";

/** What Ada says to the bot alone, at a time, unless it is told otherwise. */
export function message(text: string, timestamp: number, more: Partial<MessageEvent> = {}): MessageEvent {
  const person = more.person ?? ada;
  return {
    kind: "message",
    account,
    person,
    name: undefined,
    number: undefined,
    timestamp,
    chat: { kind: "direct", person },
    text: new Sensitive(text),
    attachments: [],
    isViewOnce: false,
    expiresInSeconds: undefined,
    isMention: false,
    quote: undefined,
    ...more,
  };
}

export const inGroup: { readonly chat: Chat } = { chat: { kind: "group", group } };
