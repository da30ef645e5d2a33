/** A stand-in for the mailbox's replies, in memory: what a crash leaves of it is what the real one has on its disk. */
import { Sensitive } from "../../../../../shared/sensitive.ts";
import { chatName, type Chat } from "../../../../../tee-bot/bot/events/event.ts";
import type { DeadLetter, Mailbox, OutgoingReply, Reply } from "../../../../../tee-bot/bot/mail/mailbox.ts";

type ReplySide = Pick<Mailbox, "onNews" | "replies" | "plan" | "sending" | "sent" | "unsent" | "giveUp">;

interface Kept {
  readonly reply: OutgoingReply;
  state: "waiting" | "sending";
  dueAt: number;
}

export const account = "+15550000001";

export function directChat(person: string): Chat {
  return { kind: "direct", person };
}

export function replyOf(chat: Chat, text: string, options: Partial<Reply> = {}): Reply {
  const plain = new Sensitive(text);
  return { account, chat, styled: plain, plain, quote: undefined, attachment: undefined, edits: undefined, ...options };
}

export class MemoryOutbox implements ReplySide {
  readonly #now: () => number;
  readonly #ttlMs: number;
  #kept: Kept[] = [];
  #listeners: (() => void)[] = [];
  #nextId = 1;
  /** In the order in which it was known. */
  readonly done: { readonly id: number; readonly timestamp: number }[] = [];
  /** What is to be sent next. */
  planned: readonly number[] = [];
  readonly over: { readonly id: number; readonly why: DeadLetter["why"]; readonly reason: string }[] = [];

  constructor({ now, ttlMs = 24 * 60 * 60_000 }: { now: () => number; ttlMs?: number }) {
    this.#now = now;
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#kept.length;
  }

  put(...replies: Reply[]): number[] {
    const ids = replies.map((reply) => {
      const id = this.#nextId++;
      const outgoing = { ...reply, id, attempts: 0, expiresAt: this.#now() + this.#ttlMs };
      this.#kept.push({ reply: outgoing, state: "waiting", dueAt: 0 });
      return id;
    });
    for (const listener of this.#listeners) listener();
    return ids;
  }

  /** As after a restart of the process: nobody listens any more, and of what was being sent nobody knows more. */
  crash(): void {
    this.#listeners = [];
    for (const kept of this.#kept.filter(({ state }) => state === "sending"))
      this.giveUp(kept.reply, "undecidable", "crash");
  }

  onNews(listener: () => void): void {
    this.#listeners.push(listener);
  }

  replies(atMost: number): OutgoingReply[] {
    const heads = new Map<string, Kept>();
    for (const kept of this.#kept) {
      const name = chatName(kept.reply.chat);
      if (!heads.has(name)) heads.set(name, kept);
    }
    return [...heads.values()]
      .filter(({ state, dueAt }) => state === "waiting" && dueAt <= this.#now())
      .slice(0, atMost)
      .map(({ reply }) => reply);
  }

  plan(replies: readonly OutgoingReply[]): void {
    this.planned = replies.map(({ id }) => id);
  }

  sending({ id }: OutgoingReply): boolean {
    const kept = this.#kept.find(({ reply }) => reply.id === id);
    if (kept) kept.state = "sending";
    return kept !== undefined;
  }

  /** It is replaced by something newer. */
  takeBack(id: number): void {
    this.#remove(id);
  }

  sent({ id }: OutgoingReply, timestamp: number): void {
    this.#remove(id);
    this.done.push({ id, timestamp });
  }

  unsent({ id }: OutgoingReply, { delayMs }: { reason: string; delayMs: number }): void {
    const kept = this.#find(id);
    kept.state = "waiting";
    kept.dueAt = this.#now() + delayMs;
  }

  giveUp({ id }: OutgoingReply, why: DeadLetter["why"], reason: string): void {
    this.#remove(id);
    this.over.push({ id, why, reason });
  }

  #find(id: number): Kept {
    const kept = this.#kept.find(({ reply }) => reply.id === id);
    if (!kept) throw new Error(`There is no reply ${id}.`);
    return kept;
  }

  #remove(id: number): void {
    this.#find(id);
    this.#kept = this.#kept.filter(({ reply }) => reply.id !== id);
  }
}
