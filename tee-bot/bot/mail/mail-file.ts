/**
 * The SQLite file of the mailbox. What it shows to who has the disk: how many mails and replies wait, when they came in, the
 * size bucket of each, which belong to one chat (by an HMAC), and why some were given up. An older state of it that is put back
 * has its mail answered again, as far as that is not too old.
 */
import { mkdirSync, statSync, utimesSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { isDamage, openStore, writeDurably, writeTogether } from "../../store/open-store.ts";
import { Seal } from "../../store/seal.ts";
import { draftStep } from "./drafts.ts";
import { mailSchemaName } from "./mail-record.ts";

export interface MailFileOptions {
  path: string;
  storageKey: Uint8Array;
  clock: Clock;
  log: Log;
}

/** How long what is deleted may still be read in the log of SQLite. */
const wipeWithinMs = 1_000;

/**
 * `is_head`: nothing of its chat comes before it; always so for urgent mail. So what is due next is found without a look at
 * all that waits behind it. `edit_tag` names it by its last edit. `holder` is who has a mail in hand; `is_begun`: its sending was begun.
 */
const steps = [
  `CREATE TABLE mail (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     tag TEXT NOT NULL UNIQUE,
     edit_tag TEXT,
     chat TEXT NOT NULL,
     is_urgent INTEGER NOT NULL,
     is_head INTEGER NOT NULL,
     holder TEXT,
     attempts INTEGER NOT NULL,
     received_at INTEGER NOT NULL,
     stale_at INTEGER NOT NULL,
     due_at INTEGER NOT NULL,
     sealed BLOB NOT NULL
   ) STRICT;
   CREATE INDEX mail_of_chat ON mail (chat, is_urgent, id);
   CREATE INDEX mail_heads ON mail (is_urgent DESC, id) WHERE is_head AND holder IS NULL;
   CREATE INDEX mail_by_edit ON mail (edit_tag);
   CREATE INDEX mail_by_due ON mail (due_at) WHERE is_head AND holder IS NULL;
   CREATE INDEX mail_by_stale ON mail (stale_at);
   CREATE TRIGGER next_mail AFTER DELETE ON mail WHEN OLD.is_head AND NOT OLD.is_urgent BEGIN
     UPDATE mail SET is_head = 1 WHERE id = (SELECT min(id) FROM mail WHERE chat = OLD.chat AND NOT is_urgent);
   END;
   CREATE TABLE seen (tag TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX seen_by_until ON seen (until);
   CREATE TABLE replies (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     tag TEXT NOT NULL,
     chat TEXT NOT NULL,
     is_head INTEGER NOT NULL,
     is_begun INTEGER NOT NULL,
     attempts INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     due_at INTEGER NOT NULL,
     sealed BLOB NOT NULL
   ) STRICT;
   CREATE INDEX replies_of_chat ON replies (chat, id);
   CREATE INDEX reply_heads ON replies (id) WHERE is_head AND NOT is_begun;
   CREATE INDEX replies_by_due ON replies (due_at) WHERE is_head AND NOT is_begun;
   CREATE TRIGGER next_reply AFTER DELETE ON replies WHEN OLD.is_head BEGIN
     UPDATE replies SET is_head = 1 WHERE id = (SELECT min(id) FROM replies WHERE chat = OLD.chat);
   END;
   CREATE TABLE dead (
     what TEXT NOT NULL,
     id INTEGER NOT NULL,
     why TEXT NOT NULL,
     at INTEGER NOT NULL,
     reason TEXT NOT NULL,
     PRIMARY KEY (what, id)
   ) STRICT`,
  draftStep,
  // By the HMAC of the start of the machine in which it was planned to be sent next.
  "ALTER TABLE replies ADD COLUMN planned_in TEXT",
];

export class MailFile implements Disposable {
  readonly seal: Seal;
  readonly #options: MailFileOptions;
  readonly #statements = new Map<string, StatementSync>();
  #store: DatabaseSync;
  #inode: number;
  #wipe: NodeJS.Timeout | undefined;

  /** Throws {@link AppError} when the file cannot be opened. */
  constructor(options: MailFileOptions) {
    this.#options = options;
    this.seal = new Seal({ storageKey: options.storageKey, schema: mailSchemaName });
    this.#store = open(options);
    this.#inode = inodeOf(options.path);
  }

  get path(): string {
    return this.#options.path;
  }

  /**
   * Runs statements. A file that turns out to be damaged is moved aside with what cannot be read of it, and the work is done
   * on what could be rescued. Throws `overloaded` when the disk does not take or give it.
   */
  run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (!isDamage(error)) throw this.#unavailable(error);
      try {
        this.#reopen();
        return work();
      } catch (again) {
        throw again instanceof AppError ? again : this.#unavailable(again);
      }
    }
  }

  /** All of the changes or none. `durably`: also after a loss of power, with all that was changed before. */
  change<T>(work: () => T, { durably = false } = {}): T {
    const write = durably ? writeDurably : writeTogether;
    return this.run(() => {
      this.follow();
      let result: { readonly value: T } | undefined;
      write(this.#store, () => {
        result = { value: work() };
      });
      return result!.value;
    });
  }

  /** Goes on with the new file where another process found this one damaged, and has begun anew; which file it is now. */
  follow(): number {
    if (inodeOf(this.path) !== this.#inode) this.#reopen();
    return this.#inode;
  }

  /**
   * Lets other processes see that there is something new. That the log grows would be seen too soon: before what stands in it
   * counts.
   */
  announce(): void {
    const now = new Date();
    try {
      utimesSync(this.path, now, now);
    } catch {
      // then they see it when they look by themselves
    }
  }

  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const prepared = this.#store.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }

  /** Something was deleted, which is overwritten in the file, but is in the log until that is cut. */
  wipeSoon(): void {
    this.#wipe ??= setTimeout(() => {
      this.#wipe = undefined;
      this.#cutLog();
    }, wipeWithinMs).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#wipe); // the last one to close the file removes the log
    this.#close();
  }

  #cutLog(): void {
    try {
      const result = this.#store.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
      if (result?.["busy"]) this.wipeSoon(); // another process reads just now
    } catch (error) {
      this.#options.log.warn("mailbox.not-wiped", { error: errorText(error) });
    }
  }

  #reopen(): void {
    this.#close();
    this.#store = open(this.#options);
    this.#inode = inodeOf(this.path);
  }

  #close(): void {
    this.#statements.clear();
    if (this.#store.isOpen) this.#store.close();
  }

  #unavailable(error: unknown): AppError {
    return new AppError("overloaded", `The mailbox ${this.path} cannot be used now: ${errorText(error)}.`, {
      cause: error,
    });
  }
}

/** 0 where there is no file. */
function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

function open({ path, log }: MailFileOptions): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const store = openStore({ path, steps, log, rescue: (damaged, fresh) => rescue(damaged, fresh, log) });
  store.exec("PRAGMA secure_delete = ON");
  return store;
}

/** What is not done comes first, then what was done, so that it is not done again; each with what orders it. */
const tables = { mail: "id", replies: "id", drafts: "mail", seen: "tag", dead: "rowid" };

/** What stood before others may be what is lost. */
const mendHeads = `UPDATE mail SET is_head = 1 WHERE id IN (SELECT min(id) FROM mail WHERE NOT is_urgent GROUP BY chat);
  UPDATE replies SET is_head = 1 WHERE id IN (SELECT min(id) FROM replies GROUP BY chat)`;

/** Rows are sealed one by one, so each that can be read is as good as before: those before the damage, and those behind it. */
function rescue(damaged: DatabaseSync, fresh: DatabaseSync, log: Log): void {
  for (const [table, key] of Object.entries(tables)) {
    try {
      copyRows(damaged, fresh, table, `${key} ASC`);
    } catch (error) {
      log.error("mailbox.lost", { table, error: errorText(error) }); // how many rows there were is lost as well
      try {
        copyRows(damaged, fresh, table, `${key} DESC`);
      } catch {
        // as far as it could be read from there
      }
    }
  }
  fresh.exec(mendHeads);
}

function copyRows(damaged: DatabaseSync, fresh: DatabaseSync, table: string, order: string): void {
  for (const row of damaged.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).iterate()) {
    const columns = Object.keys(row);
    const marks = columns.map(() => "?").join();
    fresh.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${marks})`).run(...Object.values(row));
  }
}
