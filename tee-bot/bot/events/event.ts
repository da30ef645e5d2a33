/**
 * What happens in Signal, as far as the bot is concerned. Made of the envelopes of signal-cli, whose form nothing else
 * knows. People are told apart by their `uuid` (ACI), which does not change; their number may be hidden or become known.
 */
import type { Sensitive } from "../../../shared/sensitive.ts";

/** Where something was said, and where its answer goes. */
export type Chat =
  | { readonly kind: "direct"; readonly person: string }
  /** `group` is the internal id of envelopes: 44 characters of base64. The REST server wants another form of it. */
  | { readonly kind: "group"; readonly group: string };

/** Names a chat where a text is wanted, such as in a store; never in a log. */
export function chatName(chat: Chat): string {
  return chat.kind === "direct" ? `direct:${chat.person}` : `group:${chat.group}`;
}

/** Common to all: who, when, where. With `account` and `person`, the timestamp names a message. */
interface Origin {
  /** The bot's number. */
  readonly account: string;
  /** The sender's uuid. */
  readonly person: string;
  /** The name in the sender's profile. */
  readonly name: Sensitive<string> | undefined;
  /** The sender's number, where it is not hidden. */
  readonly number: Sensitive<string> | undefined;
  /** Milliseconds since the Unix epoch, by the sender's clock. */
  readonly timestamp: number;
  readonly chat: Chat;
}

/** A file at the REST server, until somebody deletes it. */
export interface Attachment {
  readonly id: string;
  readonly contentType: string;
  readonly name: Sensitive<string> | undefined;
  /** Bytes, as the sender says. */
  readonly size: number;
}

/** What the message answers to. */
export interface Quote {
  readonly timestamp: number;
  /** The author's uuid. */
  readonly author: string;
  readonly isOfBot: boolean;
  readonly text: Sensitive<string>;
}

export interface MessageContent {
  /** Without the marks of mentions; may be empty where there are attachments. */
  readonly text: Sensitive<string>;
  readonly attachments: readonly Attachment[];
  readonly isViewOnce: boolean;
  /** The timer for disappearing messages; undefined: none. */
  readonly expiresInSeconds: number | undefined;
  /** The bot is mentioned. */
  readonly isMention: boolean;
  readonly quote: Quote | undefined;
}

export interface MessageEvent extends Origin, MessageContent {
  readonly kind: "message";
}

/** A message was changed: it says this now. */
export interface EditEvent extends Origin, MessageContent {
  readonly kind: "edit";
  /** Timestamp of the message, or of its last edit. */
  readonly target: number;
}

/** A person took back what they had said. */
export interface DeletionEvent extends Origin {
  readonly kind: "deletion";
  readonly target: number;
}

export interface ReactionEvent extends Origin {
  readonly kind: "reaction";
  readonly emoji: string;
  readonly isRemoved: boolean;
  /** To what the bot said; reactions to others are no events. */
  readonly target: number;
}

/** What we sent has arrived, was read. */
export interface ReceiptEvent extends Origin {
  readonly kind: "receipt";
  readonly receipt: "delivery" | "read" | "viewed";
  readonly targets: readonly number[];
}

export type BotEvent = MessageEvent | EditEvent | DeletionEvent | ReactionEvent | ReceiptEvent;

export type EventName = Pick<BotEvent, "account" | "person" | "timestamp" | "kind">;

/** Names one event, over deliveries that repeat. */
export function eventName({ account, person, timestamp, kind }: EventName): string {
  return `${account} ${person} ${timestamp} ${kind}`;
}
