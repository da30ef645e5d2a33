/** How late one is told that its time is over, at most, unless the process is busy. */
const sweepMs = 25;

/**
 * One point in time that mostly moves away, or is reached never: setting it costs a number. All of them share one timer, which
 * runs while there are any. A timer for each cost 5 µs of a call's CPU: most are the only one of their length, for which
 * Node (24) makes a list and ends it again.
 */
export class Deadline {
  static readonly #set = new Set<Deadline>();
  static #sweeper: NodeJS.Timeout | undefined;

  readonly #onOver: () => void;
  #at = Infinity;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  set(inMs: number): void {
    this.#at = performance.now() + inMs;
    Deadline.#set.add(this);
    Deadline.#sweeper ??= setInterval(() => Deadline.#sweep(), sweepMs);
  }

  clear(): void {
    Deadline.#set.delete(this);
  }

  static #sweep(): void {
    const now = performance.now();
    const isIdle = Deadline.#set.size === 0;
    for (const deadline of Deadline.#set) {
      if (deadline.#at > now) continue;
      deadline.clear();
      deadline.#onOver();
    }
    if (!isIdle) return; // where one waits at a time, each would begin and end a timer
    clearInterval(Deadline.#sweeper);
    Deadline.#sweeper = undefined;
  }
}
