/** The connection between signal-cli and the REST server: what is written is read in order; a writer of messages waits for room. */
export class Lines<Item> {
  readonly #capacity: number;
  readonly #items: Item[] = [];
  #wake: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  write(item: Item): void {
    this.#items.push(item);
    this.#changed();
  }

  async untilRoom(signal: AbortSignal): Promise<void> {
    while (this.#items.length >= this.#capacity && !signal.aborted) await this.#untilChange(signal);
  }

  /** Undefined once the signal has aborted. */
  async read(signal: AbortSignal): Promise<Item | undefined> {
    while (this.#items.length === 0 && !signal.aborted) await this.#untilChange(signal);
    if (signal.aborted) return undefined;
    const item = this.#items.shift();
    this.#changed();
    return item;
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #untilChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#wake.push(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
