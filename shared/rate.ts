import type { Clock } from "./clock.ts";

/** Counts events and tells the rate of the last whole second, or of this one when it is higher already. */
export class Rate {
  readonly #clock: Clock;
  #second = 0;
  #count = 0;
  #before = 0;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  count(events = 1): void {
    this.#turn();
    this.#count += events;
  }

  get perSecond(): number {
    this.#turn();
    return Math.max(this.#before, this.#count);
  }

  /** Events counted in this second of the clock. */
  get thisSecond(): number {
    this.#turn();
    return this.#count;
  }

  #turn(): void {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second === this.#second) return;
    this.#before = second === this.#second + 1 ? this.#count : 0;
    this.#count = 0;
    this.#second = second;
  }
}
