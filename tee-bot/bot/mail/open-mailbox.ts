/** The mailbox of the process that works. There is one at a time: what it finds in hand was left there by one that ended. */
import type { Log } from "../../../shared/log.ts";
import type { BotEvent, Chat, MessageContent } from "../events/event.ts";
import { readBootId } from "./boot-id.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Drafts, type Drafted } from "./drafts.ts";
import { Intray, type Postponement, type SentMessage } from "./intray.ts";
import { MailFile } from "./mail-file.ts";
import { MailNews } from "./mail-news.ts";
import { SealedSlot, type MailSlotOptions } from "./mail-slot.ts";
import type { DeadLetter, Mail, Mailbox, MailboxState, OutgoingReply, Reply } from "./mailbox.ts";
import { Outbox } from "./outbox.ts";

export interface MailboxOptions extends MailSlotOptions {
  /** How often a mail may be in hand before it is put aside. */
  maxAttempts: number;
  /** Differs after each start of the machine; undefined: it cannot be told. */
  bootId?: string | undefined;
}

/** Throws {@link AppError} when the file cannot be opened. One that is damaged is begun anew with what can be read of it. */
export function openMailbox(options: MailboxOptions): Mailbox {
  return new SealedMailbox(options);
}

class SealedMailbox implements Mailbox {
  readonly #file: MailFile;
  readonly #slot: SealedSlot;
  readonly #intray: Intray;
  readonly #outbox: Outbox;
  readonly #dead: DeadLetters;
  readonly #drafts: Drafts;
  readonly #news: MailNews;
  readonly #log: Log;

  constructor(options: MailboxOptions) {
    const { clock, log, maxAttempts, maxAgeMs, bootId = readBootId() } = options;
    this.#log = log;
    const file = new MailFile(options);
    this.#file = file;
    this.#slot = new SealedSlot(file, options);
    this.#dead = new DeadLetters(file, clock, log);
    this.#intray = new Intray({ file, slot: this.#slot, dead: this.#dead, clock, maxAttempts });
    this.#drafts = new Drafts(file);
    this.#outbox = new Outbox({ file, dead: this.#dead, drafts: this.#drafts, clock, replyLifeMs: maxAgeMs, bootId });
    this.#news = new MailNews({ file, nextDueAt: (after) => this.#nextDueAt(after), clock });
    file.change(() => {
      this.#intray.recover(processEnded);
      this.#outbox.recover(processEnded);
    });
    file.wipeSoon();
  }

  put(event: BotEvent): "new" | "known" {
    const outcome = this.#slot.put(event);
    if (outcome === "new") this.#news.tell();
    return outcome;
  }

  onNews(listener: () => void): void {
    this.#news.listen(listener);
  }

  take(atMost: number, only?: "urgent"): Mail[] {
    return this.#intray.take(atMost, only);
  }

  say(reply: Reply): void {
    this.#file.change(() => this.#outbox.add([reply]));
    this.#news.tell();
  }

  draft(mail: Mail, reply: Reply): void {
    this.#file.change(() => {
      const id = this.#outbox.add([reply]);
      if (id !== undefined) this.#drafts.show(mail.id, id);
    });
    this.#news.tell();
  }

  drafted(mail: Mail): Drafted | undefined {
    return this.#file.run(() => this.#drafts.find(mail.id));
  }

  answer(mail: Mail, replies: readonly Reply[]): void {
    const isOurs = this.#file.change(() => {
      const isRemoved = this.#intray.remove(mail);
      if (isRemoved) this.#drafts.finish(mail.id, this.#outbox.add(replies));
      return isRemoved;
    });
    if (!isOurs) this.#log.warn("answer.dropped", { why: "another process has taken over the mail" });
    this.#removed();
  }

  postpone(mail: Mail, options: Postponement): "waiting" | "dead" {
    const outcome = this.#intray.postpone(mail, options);
    this.#removed();
    return outcome;
  }

  replies(atMost: number): OutgoingReply[] {
    return this.#outbox.due(atMost);
  }

  plan(replies: readonly OutgoingReply[]): void {
    this.#outbox.plan(replies);
  }

  sending(reply: OutgoingReply): boolean {
    return this.#outbox.begin(reply);
  }

  sent(reply: OutgoingReply, timestamp: number): void {
    this.#outbox.end(reply, timestamp);
    this.#removed();
  }

  unsent(reply: OutgoingReply, { delayMs }: { reason: string; delayMs: number }): void {
    this.#outbox.putBack(reply, delayMs);
    this.#news.tell();
  }

  giveUp(reply: OutgoingReply, why: DeadLetter["why"], reason: string): void {
    this.#outbox.giveUp(reply.id, why, reason);
    this.#removed();
  }

  drop(chat: Chat): number {
    const dropped = this.#intray.drop(chat);
    this.#removed();
    return dropped;
  }

  withdraw(message: SentMessage): boolean {
    const isWithdrawn = this.#intray.withdraw(message);
    this.#removed();
    return isWithdrawn;
  }

  amend(message: SentMessage & { editedAt?: number }, content: MessageContent): boolean {
    const isAmended = this.#intray.amend(message, content);
    this.#file.wipeSoon();
    return isAmended;
  }

  state(): MailboxState {
    return this.#file.run(() => ({
      ...this.#intray.count(),
      replies: this.#outbox.count(),
      ...this.#dead.count(),
    }));
  }

  deadLetters(atMost: number): DeadLetter[] {
    return this.#dead.list(atMost);
  }

  [Symbol.dispose](): void {
    this.#news[Symbol.dispose]();
    this.#file[Symbol.dispose]();
  }

  /** What stood behind it may be next. */
  #removed(): void {
    this.#file.wipeSoon();
    this.#news.tell();
  }

  #nextDueAt(after: number): number | undefined {
    const file = this.#file;
    return file.run(() => {
      const mail = file.statement(`SELECT min(due_at) AS at FROM mail WHERE is_head AND holder IS NULL AND due_at > ?`);
      const reply = file.statement(
        `SELECT min(due_at) AS at FROM replies WHERE is_head AND NOT is_begun AND due_at > ?`,
      );
      const known = [mail, reply].map((query) => query.get(after)?.["at"]).filter((at) => typeof at === "number");
      return known.length === 0 ? undefined : Math.min(...known);
    });
  }
}

const processEnded = "the process ended";
