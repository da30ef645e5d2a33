import type { Clock } from "../../../../shared/clock.ts";

/** Milliseconds since the epoch, each given once, as messages are known by them; also when the clock stands or goes back. */
export class Timestamps {
  readonly #clock: Clock;
  #last: number;

  constructor(clock: Clock, last: number) {
    this.#clock = clock;
    this.#last = last;
  }

  next(): number {
    this.#last = Math.max(this.#clock.now(), this.#last + 1);
    return this.#last;
  }
}
