/** What a person should be told once, with the next answer: that the store has put back something old, or forged it. */
export class ToldOnce {
  readonly #pending = new Set<string>();
  /** Nobody writes in so many chats before the next answer. */
  readonly #most = 10_000;

  note(conversation: string): void {
    if (this.#pending.size < this.#most) this.#pending.add(conversation);
  }

  /** Whether there is something to tell; not any more afterwards. */
  take(conversation: string): boolean {
    return this.#pending.delete(conversation);
  }
}
