import type { Clock } from "../clock.ts";

export interface DeadlinesOptions<T> {
  /** How long each item has; it is told late by up to an eighth of it. */
  ms: number;
  clock: Clock;
  onExpired: (item: T) => void;
}

const sweepsPerDeadline = 8;

/**
 * Many waits of one length with one timer, since a connection should not cost a timer: the wait that began first
 * ends first, so a sweep looks at no more than what has expired.
 */
export class Deadlines<T> {
  readonly #options: DeadlinesOptions<T>;
  readonly #endsAt = new Map<T, number>();
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: DeadlinesOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#endsAt.size;
  }

  /** Begins the wait of an item, or begins it anew. */
  start(item: T): void {
    const { ms, clock } = this.#options;
    this.#endsAt.delete(item);
    this.#endsAt.set(item, clock.now() + ms);
    this.#sweeper ??= setInterval(() => this.#sweep(), Math.ceil(ms / sweepsPerDeadline)).unref();
  }

  /** Whether the item was still waiting. */
  stop(item: T): boolean {
    return this.#endsAt.delete(item);
  }

  #sweep(): void {
    const now = this.#options.clock.now();
    for (const [item, endsAt] of this.#endsAt) {
      if (endsAt > now) break;
      this.#endsAt.delete(item);
      this.#options.onExpired(item);
    }
    if (this.#endsAt.size > 0) return;
    // Only here: where one waits at a time, each would start and end a timer of its own.
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
