import { Sensitive } from "../../../../shared/sensitive.ts";
import type { Chat, DeletionEvent, MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import type { Reply } from "../../../../tee-bot/bot/mail/mailbox.ts";

export const account = "+15550000001";
export const alice = "aaaaaaaa-1111-4111-8111-111111111111";
export const bob = "cccccccc-2222-4222-8222-222222222222";
export const team = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI=";

/** A message of a person, sent `at`. */
export function messageOf(
  person: string,
  at: number,
  text = "hello",
  options: Partial<MessageEvent> = {},
): MessageEvent {
  return {
    kind: "message",
    account,
    person,
    name: new Sensitive("Somebody"),
    number: undefined,
    timestamp: at,
    chat: { kind: "direct", person },
    text: new Sensitive(text),
    attachments: [],
    isViewOnce: false,
    expiresInSeconds: undefined,
    isMention: false,
    quote: undefined,
    ...options,
  };
}

export function deletionOf(person: string, at: number, target: number): DeletionEvent {
  const { name, number, chat } = messageOf(person, at);
  return { kind: "deletion", account, person, name, number, timestamp: at, chat, target };
}

export function replyTo(chat: Chat, text: string, options: Partial<Reply> = {}): Reply {
  const plain = new Sensitive(text);
  return { account, chat, styled: plain, plain, quote: undefined, attachment: undefined, edits: undefined, ...options };
}
