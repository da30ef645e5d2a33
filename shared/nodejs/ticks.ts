/** Those of one period are called in so many groups, one after the other, so that thousands do not hold up everything else at once. */
const groupsPerPeriod = 8;

const wheels = new Map<number, Wheel>();

/**
 * Calls the listener every `ms`; answers what stops it. All of one period share a timer, since those who come and go by
 * the hundred a second should not each begin and end one.
 */
export function everyMs(ms: number, listener: () => void): () => void {
  const wheel = wheels.get(ms) ?? new Wheel(ms);
  wheels.set(ms, wheel);
  return wheel.add(listener);
}

class Wheel {
  readonly #groups = Array.from({ length: groupsPerPeriod }, () => new Set<() => void>());
  readonly #timer: NodeJS.Timeout;
  #turns = 0;
  #size = 0;

  constructor(ms: number) {
    this.#timer = setInterval(() => this.#turn(ms), ms / groupsPerPeriod).unref();
  }

  /** Its turn was just now, so that it comes again in a whole period. */
  add(listener: () => void): () => void {
    const group = this.#group;
    group.add(listener);
    this.#size++;
    return () => {
      if (group.delete(listener)) this.#size--;
    };
  }

  get #group(): Set<() => void> {
    return this.#groups[this.#turns % groupsPerPeriod]!;
  }

  #turn(ms: number): void {
    this.#turns++;
    for (const listener of this.#group) listener();
    // Only after a whole round: where one listens at a time, each would begin and end a timer.
    if (this.#size > 0 || this.#turns % groupsPerPeriod !== 0) return;
    clearInterval(this.#timer);
    wheels.delete(ms);
  }
}
