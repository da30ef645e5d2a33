/**
 * Text that comes in pieces, up to the first of some texts that end it. What may be the beginning of one is held back
 * until that is known.
 */
export class StopScanner {
  readonly #stops: readonly string[];
  #held = "";
  #stopped = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Whether one of the texts has come; nothing is taken any more. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** What can be said now. */
  push(text: string): string {
    if (this.#stopped) return "";
    const known = this.#held + text;
    const at = this.#stops.map((stop) => known.indexOf(stop)).filter((index) => index >= 0);
    this.#stopped = at.length > 0;
    const end = this.#stopped ? Math.min(...at) : known.length - this.#heldLength(known);
    this.#held = this.#stopped ? "" : known.slice(end);
    return known.slice(0, end);
  }

  /** What was held back, since nothing more comes. */
  end(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /** How many characters at the end may be the beginning of a stop. */
  #heldLength(known: string): number {
    return Math.max(0, ...this.#stops.map((stop) => overlap(known, stop)));
  }
}

/** The longest end of `text` that is a beginning of `stop`, but not all of it. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
