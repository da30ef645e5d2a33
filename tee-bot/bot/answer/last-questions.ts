/** Questions that got no answer, for `!retry`: in memory only, not for long, and none that has a timer that is over. */
import { chatName, type Chat, type MessageEvent } from "../events/event.ts";

const keptMs = 60 * 60 * 1000;
const maxKept = 1_000;

interface Kept {
  readonly event: MessageEvent;
  readonly until: number;
}

export class LastQuestions {
  readonly #kept = new Map<string, Kept>();

  keep(event: MessageEvent, now: number): void {
    const name = chatName(event.chat);
    this.#kept.delete(name);
    if (event.isViewOnce) return;
    const lifeMs = event.expiresInSeconds ? Math.min(keptMs, event.expiresInSeconds * 1000) : keptMs;
    this.#kept.set(name, { event, until: now + lifeMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest);
  }

  of(chat: Chat, now: number): MessageEvent | undefined {
    const kept = this.#kept.get(chatName(chat));
    return kept && kept.until > now ? kept.event : undefined;
  }

  forget(chat: Chat): void {
    this.#kept.delete(chatName(chat));
  }

  forgetPerson(person: string): void {
    for (const [name, { event }] of this.#kept) if (event.person === person) this.#kept.delete(name);
  }

  /** Its author took it back, or changed it. */
  withdraw(chat: Chat, { person, timestamp }: { person: string; timestamp: number }): void {
    const event = this.#kept.get(chatName(chat))?.event;
    if (event?.person === person && event.timestamp === timestamp) this.forget(chat);
  }
}
