/** The mailbox of the process that works. There is one at a time: what it finds in hand was left there by one that ended. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { chatName, eventName, type BotEvent, type Chat } from "../events/event.ts";
import { DeadLetters } from "./dead-letters.ts";
import { MailFile } from "./mail-file.ts";
import { MailNews } from "./mail-news.ts";
import { parseEvent } from "./mail-record.ts";
import { SealedSlot, type MailSlotOptions } from "./mail-slot.ts";
import type { DeadLetter, Mail, Mailbox, MailboxState, OutgoingReply, Reply } from "./mailbox.ts";
import { Outbox } from "./outbox.ts";

export interface MailboxOptions extends MailSlotOptions {
  /** How often a mail may be in hand before it is put aside. */
  maxAttempts: number;
}

/** Throws {@link AppError} when the file cannot be opened. One that is damaged is begun anew with what can be read of it. */
export function openMailbox(options: MailboxOptions): Mailbox {
  return new SealedMailbox(options);
}

class SealedMailbox implements Mailbox {
  readonly #file: MailFile;
  readonly #slot: SealedSlot;
  readonly #outbox: Outbox;
  readonly #dead: DeadLetters;
  readonly #news: MailNews;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #maxAttempts: number;
  /** Of this process: what others left in hand is not its own. */
  readonly #holder = randomUUID();

  constructor(options: MailboxOptions) {
    const { clock, log, maxAttempts, maxAgeMs } = options;
    this.#clock = clock;
    this.#log = log;
    this.#maxAttempts = maxAttempts;
    this.#file = new MailFile(options);
    this.#slot = new SealedSlot(this.#file, options);
    this.#dead = new DeadLetters(this.#file, clock, log);
    this.#outbox = new Outbox({ file: this.#file, dead: this.#dead, clock, replyLifeMs: maxAgeMs });
    this.#news = new MailNews({ file: this.#file, nextDueAt: (after) => this.#nextDueAt(after), clock });
    this.#recover();
  }

  put(event: BotEvent): "new" | "known" {
    const outcome = this.#slot.put(event);
    if (outcome === "new") this.#news.tell();
    return outcome;
  }

  onNews(listener: () => void): void {
    this.#news.listen(listener);
  }

  take(atMost: number): Mail[] {
    const file = this.#file;
    const now = this.#clock.now();
    const isStale = file.run(() => file.statement(`${staleMail} LIMIT 1`).get(now) !== undefined);
    if (isStale) this.#putStaleAside(now);
    const isDue = file.run(() => file.statement(dueMail).get(now, 1) !== undefined);
    return isDue ? file.change(() => this.#take(now, atMost)) : [];
  }

  answer(mail: Mail, replies: readonly Reply[]): void {
    this.#file.change(() => {
      if (this.#remove(mail)) this.#outbox.add(replies);
      else this.#log.warn("mail.answered-elsewhere", { attempts: mail.attempts });
    });
    this.#file.wipeSoon();
    this.#news.tell();
  }

  postpone(mail: Mail, options: { reason: string; delayMs: number; isCounted: boolean }): "waiting" | "dead" {
    const { reason, delayMs, isCounted } = options;
    const file = this.#file;
    const dueAt = this.#clock.now() + delayMs;
    const outcome = file.change(() => {
      const row = file.statement("SELECT attempts, stale_at FROM mail WHERE id = ? AND holder = ?").get(mail.id, this.#holder);
      if (!row) return "dead";
      const attempts = Number(row["attempts"]) - (isCounted ? 0 : 1);
      const why = attempts >= this.#maxAttempts ? "attempts" : Number(row["stale_at"]) <= dueAt ? "age" : undefined;
      if (!why) {
        file
          .statement("UPDATE mail SET holder = NULL, attempts = ?, due_at = ? WHERE id = ?")
          .run(attempts, dueAt, mail.id);
        return "waiting";
      }
      this.#remove(mail);
      this.#dead.add("mail", mail.id, why, reason);
      return "dead";
    });
    if (outcome === "dead") file.wipeSoon();
    this.#news.tell();
    return outcome;
  }

  replies(atMost: number): OutgoingReply[] {
    return this.#outbox.due(atMost);
  }

  sending(reply: OutgoingReply): void {
    this.#outbox.begin(reply);
  }

  sent(reply: OutgoingReply): void {
    this.#outbox.end(reply);
    this.#news.tell();
  }

  unsent(reply: OutgoingReply, options: { reason: string; delayMs: number }): void {
    this.#outbox.putBack(reply, options.delayMs);
    this.#news.tell();
  }

  giveUp(reply: OutgoingReply, why: DeadLetter["why"], reason: string): void {
    this.#outbox.giveUp(reply.id, why, reason);
    this.#news.tell();
  }

  drop(chat: Chat): number {
    const file = this.#file;
    const tag = file.seal.tagOf(chatName(chat));
    const waiting = file.change(() => {
      const rows = file.statement("SELECT id FROM mail WHERE chat = ? AND holder IS NULL ORDER BY id DESC").all(tag);
      for (const { id } of rows) file.statement("DELETE FROM mail WHERE id = ?").run(id!);
      return rows.length;
    });
    file.wipeSoon();
    return waiting;
  }

  withdraw({ account, person, timestamp }: { account: string; person: string; timestamp: number }): boolean {
    const file = this.#file;
    const tag = file.seal.tagOf(eventName({ account, person, timestamp, kind: "message" }));
    const isGone = file.change(() => {
      this.#slot.see(tag, this.#clock.now()); // it may come in later than the news that it was taken back
      return file.statement("DELETE FROM mail WHERE tag = ? AND holder IS NULL").run(tag).changes > 0;
    });
    if (isGone) {
      file.wipeSoon();
      this.#news.tell();
    }
    return isGone;
  }

  state(): MailboxState {
    const file = this.#file;
    return file.run(() => {
      const mail = file
        .statement(
          `SELECT count(*) FILTER (WHERE holder IS NULL) AS waiting, count(holder) AS in_hand,
             min(received_at) FILTER (WHERE holder IS NULL) AS oldest FROM mail`,
        )
        .get();
      const oldest = mail?.["oldest"];
      return {
        waiting: Number(mail?.["waiting"]),
        inHand: Number(mail?.["in_hand"]),
        replies: this.#outbox.count(),
        ...this.#dead.count(),
        oldestAt: typeof oldest === "number" ? oldest : undefined,
      };
    });
  }

  deadLetters(atMost: number): DeadLetter[] {
    return this.#dead.list(atMost);
  }

  [Symbol.dispose](): void {
    this.#news[Symbol.dispose]();
    this.#file[Symbol.dispose]();
  }

  /** A process ended: its mail is done again, unless that was what ended it. Whether its replies went out nobody knows. */
  #recover(): void {
    const file = this.#file;
    file.change(() => {
      const reason = "the process ended";
      for (const { id } of file.statement("SELECT id FROM mail WHERE holder IS NOT NULL AND attempts >= ?").all(this.#maxAttempts)) {
        file.statement("DELETE FROM mail WHERE id = ?").run(id!);
        this.#dead.add("mail", Number(id), "attempts", reason);
      }
      file.statement("UPDATE mail SET holder = NULL WHERE holder IS NOT NULL").run();
      this.#outbox.recover(reason);
    });
    file.wipeSoon();
  }

  #putStaleAside(now: number): void {
    const file = this.#file;
    file.change(() => {
      for (const { id } of file.statement(staleMail).all(now)) {
        file.statement("DELETE FROM mail WHERE id = ?").run(id!);
        this.#dead.add("mail", Number(id), "age", "it waited for too long");
      }
    });
    file.wipeSoon();
  }

  #take(now: number, atMost: number): Mail[] {
    const file = this.#file;
    const mails: Mail[] = [];
    for (const row of file.statement(dueMail).all(now, atMost)) {
      const id = Number(row["id"]);
      const opened = file.seal.open(String(row["tag"]), row["sealed"] as Uint8Array, { newestEpoch: 0, now });
      if (opened.state !== "open") {
        file.statement("DELETE FROM mail WHERE id = ?").run(id);
        this.#dead.add("mail", id, "refused", `what is stored is ${opened.state}`);
        continue;
      }
      file.statement("UPDATE mail SET holder = ?, attempts = attempts + 1 WHERE id = ?").run(this.#holder, id);
      const event = parseEvent(opened.content);
      mails.push({ id, event, receivedAt: Number(row["received_at"]), attempts: Number(row["attempts"]) });
    }
    return mails;
  }

  /** Whether it was in this process's hand still. */
  #remove({ id }: Mail): boolean {
    const { changes } = this.#file.statement("DELETE FROM mail WHERE id = ? AND holder = ?").run(id, this.#holder);
    return changes > 0;
  }

  #nextDueAt(after: number): number | undefined {
    const file = this.#file;
    const mail = file.statement("SELECT min(due_at) AS at FROM mail WHERE is_head AND holder IS NULL AND due_at > ?");
    const reply = file.statement("SELECT min(due_at) AS at FROM replies WHERE is_head AND NOT is_begun AND due_at > ?");
    const times = file.run(() => [mail, reply].map((query) => query.get(after)?.["at"]));
    const known = times.filter((at) => typeof at === "number");
    return known.length === 0 ? undefined : Math.min(...known);
  }
}

const dueMail = `SELECT id, tag, sealed, received_at, attempts FROM mail
  WHERE is_head AND holder IS NULL AND due_at <= ? ORDER BY is_urgent DESC, id LIMIT ?`;
const staleMail = "SELECT id FROM mail WHERE holder IS NULL AND stale_at <= ?";
