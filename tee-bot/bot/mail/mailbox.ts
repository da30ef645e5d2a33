/**
 * What the bot has yet to do, on the disk: mail that came in, and replies that have to go out. Both are sealed, and wiped as
 * soon as they are done. A mail is answered and its replies are stored in one transaction, so nothing is lost or doubled
 * when a process ends at any moment. Several processes may share it: one that receives, one that works.
 */
import type { Sensitive } from "../../../shared/sensitive.ts";
import type { BotEvent, Chat, MessageContent } from "../events/event.ts";
import type { Drafted } from "./drafts.ts";

/** An event in hand. */
export interface Mail {
  readonly id: number;
  readonly event: BotEvent;
  /** By our clock. */
  readonly receivedAt: number;
  /** Times it was in hand before. */
  readonly attempts: number;
}

/** A mail that must not be tried again, or a reply that did not go out; without its content. */
export interface DeadLetter {
  readonly id: number;
  readonly what: "mail" | "reply";
  /** `undecidable`: it may have gone out or not. */
  readonly why: "attempts" | "age" | "refused" | "undecidable";
  readonly at: number;
  /** Of the last attempt: a class of failure, never a text of a person. */
  readonly reason: string;
}

export interface Reply {
  readonly account: string;
  readonly chat: Chat;
  /** In upstream's styled markup, as `formatAnswer` makes it. */
  readonly styled: Sensitive<string>;
  /** What a person sees of it. */
  readonly plain: Sensitive<string>;
  readonly quote: { readonly timestamp: number; readonly author: string; readonly text: Sensitive<string> } | undefined;
  readonly attachment: ReplyAttachment | undefined;
  /** Replaces a message of ours that was sent at this time. */
  readonly edits: number | undefined;
}

export interface ReplyAttachment {
  readonly name: string;
  readonly contentType: string;
  readonly content: Sensitive<Uint8Array>;
}

/** A reply that waits. */
export interface OutgoingReply extends Reply {
  readonly id: number;
  readonly attempts: number;
  /** Not sent after this: nobody waits for it any more. */
  readonly expiresAt: number;
}

export interface MailboxState {
  readonly waiting: number;
  readonly inHand: number;
  readonly replies: number;
  readonly undecidable: number;
  readonly dead: number;
  /** When the oldest mail that waits came in. */
  readonly oldestAt: number | undefined;
}

/** What receives has only this: it stores, and can neither work nor call anybody. */
export interface MailSlot extends Disposable {
  /**
   * Stores an event so that it outlives a crash, before it returns. `known`: it was here before, also if it is done since.
   * Throws `overloaded` when the box is full or the disk does not take it, `too-many-requests` when too much of its chat waits.
   */
  put(event: BotEvent): "new" | "known";
}

export interface Mailbox extends MailSlot {
  /** Called when something may have come in, here or from another process; at most some 10 ms later. */
  onNews(listener: () => void): void;
  /**
   * Of each chat that has none in hand the oldest mail that is due; urgent ones (`!stop`, a deletion) whatever is in hand.
   * They are in hand then. Those that are too old are put aside first.
   */
  take(atMost: number, only?: "urgent"): Mail[];
  /** A reply to no mail: a notice. */
  say(reply: Reply): void;
  /** Shows how far the answer to a mail in hand has come; the next draft replaces it, and so does the answer's first reply. */
  draft(mail: Mail, reply: Reply): void;
  /** What was shown of the answer so far, also before a crash; undefined: nothing. */
  drafted(mail: Mail): Drafted | undefined;
  /** In one transaction: the mail is done, and its replies wait to be sent, in this order after those of the same chat. */
  answer(mail: Mail, replies: readonly Reply[]): void;
  /** To be tried again after `delayMs`, unless it was its last attempt or is too old; `isCounted: false` where it was not the mail's fault. */
  postpone(mail: Mail, options: { reason: string; delayMs: number; isCounted: boolean }): "waiting" | "dead";
  /** The next reply of each chat that is due. */
  replies(atMost: number): OutgoingReply[];
  /**
   * These are sent next, one after the other, and no others: stored for all at once, so that each need not wait for the disk. If
   * the machine ends with its power, those of them that are not known to have ended are undecidable.
   */
  plan(replies: readonly OutgoingReply[]): void;
  /**
   * Stored before the call: if the process ends in between, the outcome is not known. False: it was taken back since it
   * was given out, and is not to be sent.
   */
  sending(reply: OutgoingReply): boolean;
  sent(reply: OutgoingReply, timestamp: number): void;
  /** It has certainly not gone out, and is tried again. */
  unsent(reply: OutgoingReply, options: { reason: string; delayMs: number }): void;
  /** It will not go out (`refused`, `age`), or nobody knows whether it did (`undecidable`). */
  giveUp(reply: OutgoingReply, why: DeadLetter["why"], reason: string): void;
  /** Mail of a chat that waits is dropped, but for what is urgent: nobody wants a deletion forgotten. How many. */
  drop(chat: Chat): number;
  /** A message that its author took back before it was in hand; whether there was one. */
  withdraw(message: { account: string; person: string; timestamp: number }): boolean;
  /**
   * A message that its author changed before it was in hand: it has this content now. Whether there was one. A further
   * change may name it by `editedAt`.
   */
  amend(
    message: { account: string; person: string; timestamp: number; editedAt?: number },
    content: MessageContent,
  ): boolean;
  state(): MailboxState;
  /** Newest first. */
  deadLetters(atMost: number): DeadLetter[];
}
