/** How late one is told that its time is over, at most, unless the process is busy. */
const sweepMs = 25;

/**
 * One point in time that mostly moves away, or is reached never: setting it costs a number. All of them share one timer, which
 * runs while there are any. A timer for each cost 5 µs of a call's CPU: most are the only one of their length, for which
 * Node (24) makes a list and ends it again.
 *
 * They are a list, of which one that is cleared knows nothing any more. A `Set` that so many go through makes itself anew again
 * and again, and what it was made of, once that is old, keeps every call it knew until the next full collection.
 */
export class Deadline {
  static #first: Deadline | undefined;
  static #sweeper: NodeJS.Timeout | undefined;

  readonly #onOver: () => void;
  #at = 0;
  #isSet = false;
  #previous: Deadline | undefined;
  #next: Deadline | undefined;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  set(inMs: number): void {
    this.#at = performance.now() + inMs;
    if (this.#isSet) return;
    this.#isSet = true;
    this.#next = Deadline.#first;
    if (this.#next) this.#next.#previous = this;
    Deadline.#first = this;
    Deadline.#sweeper ??= setInterval(() => Deadline.#sweep(), sweepMs);
  }

  clear(): void {
    if (!this.#isSet) return;
    this.#isSet = false;
    if (this.#previous) this.#previous.#next = this.#next;
    else Deadline.#first = this.#next;
    if (this.#next) this.#next.#previous = this.#previous;
    this.#previous = undefined;
    this.#next = undefined;
  }

  static #sweep(): void {
    const over: Deadline[] = [];
    const now = performance.now();
    for (let one = Deadline.#first; one; one = one.#next) if (one.#at <= now) over.push(one);
    const isIdle = Deadline.#first === undefined;
    for (const deadline of over) {
      if (!deadline.#isSet || deadline.#at > now) continue; // by one that was told before it
      deadline.clear();
      deadline.#onOver();
    }
    if (!isIdle) return; // where one waits at a time, each would begin and end a timer
    clearInterval(Deadline.#sweeper);
    Deadline.#sweeper = undefined;
  }
}
