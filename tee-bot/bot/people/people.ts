/** What is remembered of a person or a group beside what they said: sealed, under a name that is an HMAC. */
export interface Remembered {
  /** Chosen by `!model`, as the gateway names it. */
  readonly model: string | undefined;
  /** They were told what this is. */
  readonly isGreeted: boolean;
  /** They gave the pairing code. */
  readonly isPaired: boolean;
}

/** Every call may throw an `AppError` that says why the store cannot be used now. */
export interface People extends Disposable {
  /** `name` is that of a chat (`chatName`), or a person's uuid. */
  read(name: string): Promise<Remembered>;
  change(name: string, change: Partial<Remembered>): Promise<void>;
  /** Everything of this name is gone. */
  forget(name: string): Promise<void>;
}
