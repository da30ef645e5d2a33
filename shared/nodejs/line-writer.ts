/** How long a line may wait for others. */
const maxWaitMs = 50;
const maxHeldChars = 64 * 1024;

/** Writes lines some at a time: a system call, and somebody who wakes to read, for each line would cost more than the line. */
export class LineWriter {
  readonly #write: (text: string) => void;
  #held = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Without its newline. */
  write(line: string): void {
    this.#held += `${line}\n`;
    if (this.#held.length >= maxHeldChars) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), maxWaitMs);
  }

  /** Writes what is held; to be called before the process ends. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#held;
    this.#held = "";
    if (text !== "") this.#write(text);
  }
}
