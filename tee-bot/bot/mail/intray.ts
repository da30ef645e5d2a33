import { randomUUID } from "node:crypto";
import type { SQLOutputValue } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import { chatName, eventName, type BotEvent, type Chat, type MessageContent } from "../events/event.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { decideFate, maxDelayMs } from "./limits.ts";
import type { MailFile } from "./mail-file.ts";
import { encodeRecord, parseEvent } from "./mail-record.ts";
import type { SealedSlot } from "./mail-slot.ts";
import type { Mail } from "./mailbox.ts";

export interface IntrayOptions {
  file: MailFile;
  slot: SealedSlot;
  dead: DeadLetters;
  clock: Clock;
  maxAttempts: number;
}

/** Names a message: by the time it was sent. */
export interface SentMessage {
  readonly account: string;
  readonly person: string;
  readonly timestamp: number;
}

/** The mail of the mailbox. That of one chat is in hand in order, one at a time; urgent mail passes by. */
export class Intray {
  readonly #options: IntrayOptions;
  /** Of this process: what another has in hand, or left there, is not its own. */
  readonly #holder = randomUUID();

  constructor(options: IntrayOptions) {
    this.#options = options;
  }

  take(atMost: number, only: "urgent" | undefined): Mail[] {
    const { file, clock } = this.#options;
    const now = clock.now();
    const due = only ? dueUrgentMail : dueMail;
    const has = (sql: string, ...values: number[]): boolean =>
      file.run(() => file.statement(sql).get(...values) !== undefined);
    if (has(staleMail, now)) this.#putStaleAside(now);
    for (;;) {
      if (!has(due, now, now + maxDelayMs, 1)) return [];
      const mails = file.change(() =>
        file
          .statement(due)
          .all(now, now + maxDelayMs, atMost)
          .map((row) => this.#hold(row, now))
          .filter((mail) => mail !== undefined),
      );
      if (mails.length > 0) return mails; // else those behind the ones put aside
    }
  }

  /** Within a change. Whether it was in this process's hand still. */
  remove({ id }: Mail): boolean {
    const { file } = this.#options;
    return file.statement("DELETE FROM mail WHERE id = ? AND holder = ?").run(id, this.#holder).changes > 0;
  }

  postpone(mail: Mail, { reason, delayMs, isCounted }: Postponement): "waiting" | "dead" {
    const { file, dead, clock, maxAttempts } = this.#options;
    const dueAt = clock.now() + Math.ceil(Math.min(delayMs, maxDelayMs));
    return file.change(() => {
      const held = "SELECT attempts, stale_at FROM mail WHERE id = ? AND holder = ?";
      const row = file.statement(held).get(mail.id, this.#holder);
      if (!row) return "dead"; // another process has it
      const attempts = Number(row["attempts"]) - (isCounted ? 0 : 1);
      const fate = decideFate({ attempts, maxAttempts, dueAt, staleAt: Number(row["stale_at"]) });
      if (fate === "waiting") {
        const update = "UPDATE mail SET holder = NULL, attempts = ?, due_at = ? WHERE id = ?";
        file.statement(update).run(attempts, dueAt, mail.id);
        return fate;
      }
      this.remove(mail);
      dead.add("mail", mail.id, fate, reason);
      return "dead";
    });
  }

  drop(chat: Chat): number {
    const { file } = this.#options;
    const tag = file.seal.tagOf(chatName(chat));
    return file.change(() => {
      const rows = file
        .statement("SELECT id FROM mail WHERE chat = ? AND holder IS NULL AND NOT is_urgent ORDER BY id DESC")
        .all(tag);
      for (const row of rows) this.#delete(row);
      return rows.length;
    });
  }

  withdraw(message: SentMessage): boolean {
    const { file, slot, clock } = this.#options;
    const tag = this.#tagOf(message);
    return file.change(() => {
      slot.see(tag, clock.now()); // it may come in later than the news that it was taken back
      const row = file.statement(waitingMail).get(tag, tag);
      if (row) this.#delete(row);
      return row !== undefined;
    });
  }

  amend(message: SentMessage & { readonly editedAt?: number | undefined }, content: MessageContent): boolean {
    const { file, clock } = this.#options;
    const tag = this.#tagOf(message);
    return file.change(() => {
      const row = file.statement(waitingMail).get(tag, tag);
      if (!row) return false;
      const opened = this.#open(row, clock.now());
      if (opened.state !== "open") return false; // who takes it puts it aside
      const event: BotEvent = { ...opened.event, ...contentOf(content) };
      const sealed = file.seal.seal(String(row["tag"]), { ...opened, content: encodeRecord(event) });
      const { editedAt } = message;
      const editTag = editedAt === undefined ? row["edit_tag"]! : this.#tagOf({ ...message, timestamp: editedAt });
      file.statement("UPDATE mail SET sealed = ?, edit_tag = ? WHERE id = ?").run(sealed, editTag, row["id"]!);
      return true;
    });
  }

  /** Within a change: a process ended with these in hand. They are done again, unless it was they that ended it. */
  recover(reason: string): void {
    const { file, dead, maxAttempts } = this.#options;
    for (const row of file
      .statement("SELECT id FROM mail WHERE holder IS NOT NULL AND attempts >= ?")
      .all(maxAttempts)) {
      this.#delete(row);
      dead.add("mail", Number(row["id"]), "attempts", reason);
    }
    file.statement("UPDATE mail SET holder = NULL WHERE holder IS NOT NULL").run();
  }

  count(): { waiting: number; inHand: number; oldestAt: number | undefined } {
    const row = this.#options.file.statement(counts).get();
    const oldest = row?.["oldest"];
    return {
      waiting: Number(row?.["waiting"]),
      inHand: Number(row?.["in_hand"]),
      oldestAt: typeof oldest === "number" ? oldest : undefined,
    };
  }

  #putStaleAside(now: number): void {
    const { file, dead } = this.#options;
    file.change(() => {
      for (const row of file.statement(staleMail).all(now)) {
        this.#delete(row);
        dead.add("mail", Number(row["id"]), "age", "it waited for too long");
      }
    });
    file.wipeSoon();
  }

  /** Undefined: it is not what was stored, and is put aside. */
  #hold(row: Row, now: number): Mail | undefined {
    const { file, dead } = this.#options;
    const id = Number(row["id"]);
    const opened = this.#open(row, now);
    if (opened.state !== "open") {
      this.#delete(row);
      dead.add("mail", id, "refused", `what is stored is ${opened.state}`);
      return undefined;
    }
    file.statement("UPDATE mail SET holder = ?, attempts = attempts + 1 WHERE id = ?").run(this.#holder, id);
    return { id, event: opened.event, receivedAt: Number(row["received_at"]), attempts: Number(row["attempts"]) };
  }

  #open(row: Row, now: number) {
    const { seal } = this.#options.file;
    const opened = seal.open(String(row["tag"]), row["sealed"] as Uint8Array, { newestEpoch: 0, now });
    return opened.state === "open" ? { ...opened, event: parseEvent(opened.content) } : opened;
  }

  #delete(row: Row): void {
    this.#options.file.statement("DELETE FROM mail WHERE id = ?").run(row["id"]!);
  }

  #tagOf({ account, person, timestamp }: SentMessage): string {
    return this.#options.file.seal.tagOf(eventName({ account, person, timestamp, kind: "message" }));
  }
}

/** Without what an edit has besides. */
function contentOf({
  text,
  attachments,
  isViewOnce,
  expiresInSeconds,
  isMention,
  quote,
}: MessageContent): MessageContent {
  return { text, attachments, isViewOnce, expiresInSeconds, isMention, quote };
}

type Row = Record<string, SQLOutputValue>;

export interface Postponement {
  readonly reason: string;
  readonly delayMs: number;
  readonly isCounted: boolean;
}

const columns = "SELECT id, tag, edit_tag, sealed, received_at, attempts FROM mail";
const due = `${columns} WHERE is_head AND holder IS NULL AND (due_at <= ? OR due_at > ?)`;
const dueMail = `${due} ORDER BY is_urgent DESC, id LIMIT ?`;
const dueUrgentMail = `${due} AND is_urgent ORDER BY id LIMIT ?`;
const staleMail = "SELECT id FROM mail WHERE holder IS NULL AND stale_at <= ?";
const waitingMail = `${columns} WHERE (tag = ? OR edit_tag = ?) AND holder IS NULL`;
const counts = `SELECT count(*) FILTER (WHERE holder IS NULL) AS waiting, count(holder) AS in_hand,
  min(received_at) FILTER (WHERE holder IS NULL) AS oldest FROM mail`;
