/**
 * A value that must not reach a log, an error or a metric: what a person wrote, a name, a phone number, a token. Whatever
 * prints it prints a placeholder instead; who needs the value says so, and is found by searching for `reveal`.
 */
export class Sensitive<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself: for the one call that sends, stores or asks with it. */
  reveal(): T {
    return this.#value;
  }

  map<U>(change: (value: T) => U): Sensitive<U> {
    return new Sensitive(change(this.#value));
  }

  toJSON(): string {
    return placeholder;
  }

  toString(): string {
    return placeholder;
  }

  /** What `console.log` and `util.inspect` of Node print. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return placeholder;
  }
}

const placeholder = "[sensitive]";
