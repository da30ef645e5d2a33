/** One point in time that mostly moves away: to move it costs a number, not a timer. */
export class Deadline {
  readonly #onOver: () => void;
  #at = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  set(inMs: number): void {
    const now = performance.now();
    this.#at = now + inMs;
    if (this.#at < this.#timerAt) this.#arm(inMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  #arm(inMs: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = this.#at;
    this.#timer = setTimeout(() => this.#check(), inMs);
  }

  #check(): void {
    this.#timerAt = Infinity;
    const leftMs = this.#at - performance.now();
    if (leftMs > 1) this.#arm(leftMs);
    else this.#onOver();
  }
}
