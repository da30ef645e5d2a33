/** Answers that are shown while they are written: where each stands in Signal, over restarts. */
import type { MailFile } from "./mail-file.ts";

export interface Drafted {
  /** How often something of the answer was shown. */
  readonly count: number;
  /** The newest of it waits to be sent, or is being sent. */
  readonly isUnderway: boolean;
}

export const draftStep = `CREATE TABLE drafts (
     mail INTEGER PRIMARY KEY,
     shown INTEGER NOT NULL,
     sent_at INTEGER,
     underway INTEGER,
     answer INTEGER
   ) STRICT;
   CREATE INDEX drafts_underway ON drafts (underway);
   CREATE INDEX drafts_answer ON drafts (answer)`;

/** `sent_at` is Signal's time of what was shown last; `underway` the reply that is to replace it, `answer` the one that will at last. */
export class Drafts {
  readonly #file: MailFile;

  constructor(file: MailFile) {
    this.#file = file;
  }

  find(mail: number): Drafted | undefined {
    const row = this.#file.statement("SELECT shown, underway FROM drafts WHERE mail = ?").get(mail);
    return row && { count: Number(row["shown"]), isUnderway: row["underway"] !== null };
  }

  /** Within a change. */
  show(mail: number, reply: number): void {
    this.#file
      .statement(
        `INSERT INTO drafts (mail, shown, underway) VALUES (?, 1, ?)
         ON CONFLICT (mail) DO UPDATE SET shown = shown + 1, underway = excluded.underway`,
      )
      .run(mail, reply);
  }

  /** Within a change: nothing more is shown before the answer, whose first reply this is; undefined: there is none. */
  finish(mail: number, answer: number | undefined): void {
    this.#file
      .statement("DELETE FROM replies WHERE NOT is_begun AND id = (SELECT underway FROM drafts WHERE mail = ?)")
      .run(mail);
    if (answer === undefined) this.#file.statement("DELETE FROM drafts WHERE mail = ?").run(mail);
    else this.#file.statement("UPDATE drafts SET answer = ? WHERE mail = ?").run(answer, mail);
  }

  /** The message that a reply replaces; undefined: it is one of its own. */
  placeOf(reply: number): number | undefined {
    const row = this.#file.statement("SELECT sent_at FROM drafts WHERE underway = ? OR answer = ?").get(reply, reply);
    const sentAt = row?.["sent_at"];
    return typeof sentAt === "number" ? sentAt : undefined;
  }

  /** Within a change: a reply has gone out at this time, or not. */
  settle(reply: number, sentAt: number | undefined): void {
    this.#file
      .statement("UPDATE drafts SET underway = NULL, sent_at = coalesce(?, sent_at) WHERE underway = ?")
      .run(sentAt ?? null, reply);
    this.#file.statement("DELETE FROM drafts WHERE answer = ?").run(reply);
  }

  /** Within a change: mail that was put aside will not be answered. */
  sweep(): void {
    this.#file.statement("DELETE FROM drafts WHERE answer IS NULL AND mail NOT IN (SELECT id FROM mail)").run();
  }
}
