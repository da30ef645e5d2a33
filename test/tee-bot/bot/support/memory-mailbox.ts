/** A stand-in for the mailbox: in memory, without its limits and its disk. The rules of order are the same. */
import {
  chatName,
  eventName,
  type BotEvent,
  type Chat,
  type MessageContent,
} from "../../../../tee-bot/bot/events/event.ts";
import type { Drafted } from "../../../../tee-bot/bot/mail/drafts.ts";
import type {
  DeadLetter,
  Mail,
  Mailbox,
  MailboxState,
  OutgoingReply,
  Reply,
} from "../../../../tee-bot/bot/mail/mailbox.ts";
import type { Clock } from "../../../../shared/clock.ts";

interface Entry {
  mail: Mail;
  dueAt: number;
  isInHand: boolean;
}

export class MemoryMailbox implements Mailbox {
  readonly answered: { event: BotEvent; replies: readonly Reply[] }[] = [];
  readonly postponed: { reason: string; delayMs: number; isCounted: boolean }[] = [];
  readonly said: Reply[] = [];
  readonly drafts: { mail: number; reply: Reply }[] = [];
  isDraftUnderway = false;
  /** Thrown by the next calls that write, as by a disk that is full. */
  failures = 0;
  readonly #entries: Entry[] = [];
  readonly #known = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  readonly #clock: Clock;
  readonly #isUrgent: (event: BotEvent) => boolean;
  #nextId = 1;

  constructor(clock: Clock, isUrgent: (event: BotEvent) => boolean) {
    this.#clock = clock;
    this.#isUrgent = isUrgent;
  }

  put(event: BotEvent): "new" | "known" {
    if (this.#known.has(eventName(event))) return "known";
    this.#known.add(eventName(event));
    const now = this.#clock.now();
    const mail = { id: this.#nextId++, event, receivedAt: now, attempts: 0 };
    this.#entries.push({ mail, dueAt: now, isInHand: false });
    this.#tell();
    return "new";
  }

  onNews(listener: () => void): void {
    this.#listeners.push(listener);
  }

  take(atMost: number, only?: "urgent"): Mail[] {
    const taken: Mail[] = [];
    const busy = new Set(this.#entries.filter(({ isInHand }) => isInHand).map(({ mail }) => chatName(mail.event.chat)));
    for (const entry of this.#entries) {
      const { event } = entry.mail;
      if (entry.isInHand || taken.length >= atMost) continue;
      const isUrgent = this.#isUrgent(event);
      if (only === "urgent" && !isUrgent) continue;
      const name = chatName(event.chat);
      if (!isUrgent && busy.has(name)) continue;
      if (!isUrgent) busy.add(name);
      if (entry.dueAt > this.#clock.now()) continue;
      entry.isInHand = true;
      taken.push(entry.mail);
      entry.mail = { ...entry.mail, attempts: entry.mail.attempts + 1 };
    }
    return taken;
  }

  say(reply: Reply): void {
    this.said.push(reply);
  }

  draft(mail: Mail, reply: Reply): void {
    this.drafts.push({ mail: mail.id, reply });
  }

  drafted(mail: Mail): Drafted | undefined {
    const count = this.drafts.filter((draft) => draft.mail === mail.id).length;
    return count === 0 ? undefined : { count, isUnderway: this.isDraftUnderway };
  }

  answer(mail: Mail, replies: readonly Reply[]): void {
    this.#failIfAsked();
    this.#remove(mail);
    this.answered.push({ event: mail.event, replies });
    this.#tell();
  }

  postpone(mail: Mail, options: { reason: string; delayMs: number; isCounted: boolean }): "waiting" | "dead" {
    this.#failIfAsked();
    const entry = this.#entries.find(({ mail: { id } }) => id === mail.id);
    if (!entry) return "dead";
    entry.isInHand = false;
    entry.dueAt = this.#clock.now() + options.delayMs;
    if (!options.isCounted) entry.mail = { ...entry.mail, attempts: entry.mail.attempts - 1 };
    this.postponed.push(options);
    this.#tell();
    return "waiting";
  }

  drop(chat: Chat): number {
    return this.#removeWaiting(({ event }) => chatName(event.chat) === chatName(chat) && !this.#isUrgent(event));
  }

  withdraw(message: { account: string; person: string; timestamp: number }): boolean {
    return this.#removeWaiting(({ event }) => isMessage(event, message)) > 0;
  }

  amend(message: { account: string; person: string; timestamp: number }, content: MessageContent): boolean {
    const entry = this.#entries.find(({ mail, isInHand }) => !isInHand && isMessage(mail.event, message));
    if (!entry) return false;
    const { text, attachments, isViewOnce, expiresInSeconds, isMention, quote } = content;
    const event = {
      ...entry.mail.event,
      text,
      attachments,
      isViewOnce,
      expiresInSeconds,
      isMention,
      quote,
    } as BotEvent;
    entry.mail = { ...entry.mail, event };
    return true;
  }

  state(): MailboxState {
    const inHand = this.#entries.filter(({ isInHand }) => isInHand).length;
    const waiting = this.#entries.length - inHand;
    return { waiting, inHand, replies: 0, undecidable: 0, dead: 0, oldestAt: undefined };
  }

  replies(): OutgoingReply[] {
    return [];
  }
  plan(): void {}

  sending(): boolean {
    return true;
  }
  sent(): void {}
  unsent(): void {}
  giveUp(): void {}
  deadLetters(): DeadLetter[] {
    return [];
  }
  [Symbol.dispose](): void {}

  #failIfAsked(): void {
    if (this.failures > 0 && this.failures--) throw new Error("the disk is full");
  }

  #remove(mail: Mail): void {
    const index = this.#entries.findIndex(({ mail: { id } }) => id === mail.id);
    if (index !== -1) this.#entries.splice(index, 1);
  }

  #removeWaiting(matches: (mail: Mail) => boolean): number {
    const found = this.#entries.filter(({ mail, isInHand }) => !isInHand && matches(mail));
    for (const { mail } of found) this.#remove(mail);
    return found.length;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function isMessage(event: BotEvent, message: { account: string; person: string; timestamp: number }): boolean {
  const { account, person, timestamp } = message;
  return (
    event.kind === "message" && event.account === account && event.person === person && event.timestamp === timestamp
  );
}
