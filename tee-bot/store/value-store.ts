/** Where sealed values are kept: it sees tags and ciphertext, and is trusted with neither. */
export interface ValueStore extends Disposable {
  read(tag: string): Awaitable<Uint8Array | undefined>;
  /**
   * Puts `after` in the place of `before`, or nothing where it is undefined, if `before` is still there; false where it
   * is not, or where that cannot be told for others are at it: look and try again.
   * Values are told apart by their first bytes, as a seal's can be. After a failure the change may or may not have been made.
   */
  replace(tag: string, before: Uint8Array | undefined, after: KeptValue | undefined): Awaitable<boolean>;
  /** All tags with this beginning that were there throughout; one may be given twice. */
  tags(beginning: string): AsyncIterable<string> | Iterable<string>;
}

type Awaitable<T> = T | Promise<T>;

export interface KeptValue {
  readonly bytes: Uint8Array;
  /** From when on the store may drop it; that it does is not relied upon. */
  readonly dropAt: number;
}
