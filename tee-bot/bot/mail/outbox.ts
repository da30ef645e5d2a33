import { randomUUID } from "node:crypto";
import type { SQLOutputValue } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import { chatName } from "../events/event.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Drafts } from "./drafts.ts";
import { maxDelayMs } from "./limits.ts";
import type { MailFile } from "./mail-file.ts";
import { encodeRecord, parseReply } from "./mail-record.ts";
import type { DeadLetter, OutgoingReply, Reply } from "./mailbox.ts";

export interface OutboxOptions {
  file: MailFile;
  dead: DeadLetters;
  drafts: Drafts;
  clock: Clock;
  /** Replies are not sent later than this after they were made. */
  replyLifeMs: number;
  /** Undefined: each reply waits for the disk. */
  bootId: string | undefined;
}

/** The replies of the mailbox. Those of one chat go out in order, one at a time. */
export class Outbox {
  readonly #options: OutboxOptions;
  /** Of this start of the machine, in the file. */
  readonly #boot: string | null;
  /** Ids of replies that a loss of power would make undecidable. */
  #planned: ReadonlySet<number> = new Set();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#boot = options.bootId === undefined ? null : options.file.seal.tagOf(`boot ${options.bootId}`);
  }

  /** Within a change. The id of the first. */
  add(replies: readonly Reply[]): number | undefined {
    const { file, clock, replyLifeMs } = this.#options;
    const now = clock.now();
    let first: number | undefined;
    for (const reply of replies) {
      const chat = file.seal.tagOf(chatName(reply.chat));
      const tag = file.seal.tagOf(`reply ${randomUUID()}`);
      const expiresAt = now + Math.ceil(replyLifeMs);
      const isHead = !file.statement("SELECT 1 FROM replies WHERE chat = ? LIMIT 1").get(chat);
      const sealed = file.seal.seal(tag, { epoch: 0, expiresAt, content: encodeRecord(reply) });
      const { lastInsertRowid } = file
        .statement(
          `INSERT INTO replies (tag, chat, is_head, is_begun, attempts, expires_at, due_at, sealed)
           VALUES (?, ?, ?, 0, 0, ?, 0, ?)`,
        )
        .run(tag, chat, Number(isHead), expiresAt, sealed);
      first ??= Number(lastInsertRowid);
    }
    return first;
  }

  /** The next of each chat, where none of it is on its way. */
  due(atMost: number): OutgoingReply[] {
    const { file, clock } = this.#options;
    const now = clock.now();
    for (;;) {
      const rows = file.run(() => file.statement(dueReplies).all(now, now + maxDelayMs, atMost));
      const replies = rows.map((row) => this.#open(row, now)).filter((reply) => reply !== undefined);
      if (replies.length > 0 || rows.length === 0) return replies; // else those behind the ones given up
    }
  }

  /** On the disk before it returns: with them the answers, and that their mail is done. */
  plan(replies: readonly OutgoingReply[]): void {
    const { file } = this.#options;
    const ids = this.#boot !== null && replies.length > 1 ? replies.map(({ id }) => id) : [];
    if (ids.length === 0 && this.#planned.size === 0) return;
    file.change(
      () => {
        file.statement(forgetPlan).run();
        for (const id of ids) file.statement("UPDATE replies SET planned_in = ? WHERE id = ?").run(this.#boot, id);
      },
      { durably: ids.length > 0 },
    );
    this.#planned = new Set(ids);
  }

  /**
   * What the file has of it outlives the process. Where it was not planned it is on the disk before this returns, and so
   * outlives the machine; else the plan does. False: there is no such reply any more, or
   * another process sends it, such as a second node that was started on the same state by mistake.
   */
  begin({ id }: OutgoingReply): boolean {
    const { file } = this.#options;
    const durably = !this.#planned.has(id);
    const mark = () => file.statement("UPDATE replies SET is_begun = 1 WHERE id = ? AND NOT is_begun").run(id);
    return file.change(() => Number(mark().changes) > 0, { durably });
  }

  /** It went out; also one that was thought undecidable. */
  end({ id }: OutgoingReply, timestamp: number): void {
    const { file, drafts } = this.#options;
    file.change(() => {
      drafts.settle(id, timestamp);
      file.statement("DELETE FROM replies WHERE id = ?").run(id);
      file.statement("DELETE FROM dead WHERE what = 'reply' AND id = ? AND why = 'undecidable'").run(id);
    });
    file.wipeSoon();
  }

  putBack({ id }: OutgoingReply, delayMs: number): void {
    const { file, clock } = this.#options;
    const dueAt = clock.now() + Math.ceil(Math.min(delayMs, maxDelayMs));
    this.#planned = new Set([...this.#planned].filter((one) => one !== id));
    file.change(() =>
      file
        .statement(
          "UPDATE replies SET is_begun = 0, planned_in = NULL, attempts = attempts + 1, due_at = ? WHERE id = ?",
        )
        .run(dueAt, id),
    );
  }

  giveUp(id: number, why: DeadLetter["why"], reason: string): void {
    const { file, dead, drafts } = this.#options;
    file.change(() => {
      drafts.settle(id, undefined);
      if (file.statement("DELETE FROM replies WHERE id = ?").run(id).changes > 0) dead.add("reply", id, why, reason);
    });
    file.wipeSoon();
  }

  /** Within a change: a process ended amid these. */
  recover(reason: string): void {
    const { file, dead, drafts } = this.#options;
    for (const { id } of file.statement(perhapsSent).all(this.#boot)) {
      file.statement("DELETE FROM replies WHERE id = ?").run(id!);
      dead.add("reply", Number(id), "undecidable", reason);
      drafts.settle(Number(id), undefined);
    }
    file.statement(forgetPlan).run();
    drafts.sweep();
  }

  /** Undefined: it is given up, since it is too old, or not what was stored. */
  #open(row: Record<string, SQLOutputValue>, now: number): OutgoingReply | undefined {
    const id = Number(row["id"]);
    const { seal } = this.#options.file;
    const opened = seal.open(String(row["tag"]), row["sealed"] as Uint8Array, { newestEpoch: 0, now });
    if (opened.state === "open") {
      const [attempts, expiresAt] = [Number(row["attempts"]), Number(row["expires_at"])];
      const reply = parseReply(opened.content);
      return { ...reply, edits: this.#options.drafts.placeOf(id) ?? reply.edits, id, attempts, expiresAt };
    }
    if (opened.state === "expired") this.giveUp(id, "age", "it waited for too long");
    else this.giveUp(id, "refused", `what is stored is ${opened.state}`);
    return undefined;
  }

  count(): number {
    return Number(this.#options.file.statement("SELECT count(*) AS n FROM replies").get()?.["n"]);
  }
}

/** Begun, or planned before the machine ended, which may have lost that they were begun. */
const perhapsSent = "SELECT id FROM replies WHERE is_begun OR (planned_in IS NOT NULL AND planned_in IS NOT ?)";
const forgetPlan = "UPDATE replies SET planned_in = NULL WHERE planned_in IS NOT NULL AND NOT is_begun";
const dueReplies = `SELECT id, tag, sealed, attempts, expires_at FROM replies
  WHERE is_head AND NOT is_begun AND (due_at <= ? OR due_at > ?) ORDER BY id LIMIT ?`;
