/**
 * The part of the mailbox that takes in. An event is on the disk before `put` returns, so that whoever brought it may forget
 * it then; one that comes again is known for two days or more, also after a restart.
 */
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import { chatName, eventName, type BotEvent } from "../events/event.ts";
import { decideMemoryMs, decideRoom, decideStaleAt, maxSeen } from "./limits.ts";
import { MailFile, type MailFileOptions } from "./mail-file.ts";
import { encodeRecord } from "./mail-record.ts";
import type { MailSlot } from "./mailbox.ts";

export interface MailSlotOptions extends MailFileOptions {
  /** Older events are not answered. */
  maxAgeMs: number;
  /** Passes by what is in hand; without it what changes or takes back a message does. */
  isUrgent?: ((event: BotEvent) => boolean) | undefined;
}

const isChange = ({ kind }: BotEvent): boolean => kind === "edit" || kind === "deletion";
const sweepEveryMs = 10 * 60 * 1000;

/** For a process that only receives: it leaves alone what another has in hand. Throws {@link AppError}. */
export function openMailSlot(options: MailSlotOptions): MailSlot {
  const file = new MailFile(options);
  const slot = new SealedSlot(file, options);
  return {
    put(event) {
      const outcome = slot.put(event);
      if (outcome === "new") file.announce();
      return outcome;
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

export class SealedSlot {
  readonly #file: MailFile;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #isUrgent: (event: BotEvent) => boolean;
  #sweptAt = -Infinity;

  constructor(file: MailFile, { clock, maxAgeMs, isUrgent = isChange }: MailSlotOptions) {
    this.#file = file;
    this.#clock = clock;
    this.#maxAgeMs = Math.ceil(maxAgeMs);
    this.#isUrgent = isUrgent;
  }

  put(event: BotEvent): "new" | "known" {
    const file = this.#file;
    const tag = file.seal.tagOf(eventName(event));
    const isKnown = file.run(() => file.statement("SELECT 1 FROM seen WHERE tag = ?").get(tag) !== undefined);
    if (isKnown) return "known";
    const now = this.#clock.now();
    const content = encodeRecord(event);
    const expiresAt = now + decideMemoryMs(this.#maxAgeMs);
    const sealed = file.seal.seal(tag, { epoch: 0, expiresAt, content });
    return file.change(
      () => {
        if (!this.see(tag, now)) return "known"; // another process was faster
        this.#insert(event, { tag, now, sealed });
        return "new";
      },
      { durably: true },
    );
  }

  /** Within a change. Whether it was not seen before. */
  see(tag: string, now: number): boolean {
    const file = this.#file;
    if (now - this.#sweptAt >= sweepEveryMs) this.#sweep(now);
    const until = now + decideMemoryMs(this.#maxAgeMs);
    return file.statement("INSERT OR IGNORE INTO seen VALUES (?, ?)").run(tag, until).changes === 1;
  }

  #insert(event: BotEvent, { tag, now, sealed }: { tag: string; now: number; sealed: Uint8Array }): void {
    const file = this.#file;
    const chat = file.seal.tagOf(chatName(event.chat));
    this.#refuseFull(chat);
    const isUrgent = this.#isUrgent(event);
    const before = file.statement("SELECT 1 FROM mail WHERE chat = ? AND NOT is_urgent LIMIT 1").get(chat);
    const isHead = isUrgent || !before;
    file
      .statement(
        `INSERT INTO mail (tag, chat, is_urgent, is_head, attempts, received_at, stale_at, due_at, sealed)
         VALUES (?, ?, ?, ?, 0, ?, ?, 0, ?)`,
      )
      .run(
        tag,
        chat,
        Number(isUrgent),
        Number(isHead),
        now,
        decideStaleAt(event.timestamp, now, this.#maxAgeMs),
        sealed,
      );
  }

  #refuseFull(chat: string): void {
    const file = this.#file;
    const count = (sql: string, ...values: string[]): number =>
      Number(Object.values(file.statement(sql).get(...values) ?? {})[0]);
    const pages = count("PRAGMA page_count") - count("PRAGMA freelist_count");
    const full = decideRoom({
      mails: count("SELECT count(*) FROM mail"),
      ofChat: count("SELECT count(*) FROM mail WHERE chat = ?", chat),
      bytes: pages * count("PRAGMA page_size"),
    });
    if (full)
      throw new AppError(full.code, `The mailbox takes no more: ${full.why}. Look why the bot does not answer.`);
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    const file = this.#file;
    file.statement("DELETE FROM seen WHERE until <= ?").run(now);
    file
      .statement("DELETE FROM seen WHERE until < (SELECT until FROM seen ORDER BY until DESC LIMIT 1 OFFSET ?)")
      .run(maxSeen);
  }
}
