/** The REST server has refused, or gave no answer. */
export class AccountError extends Error {
  override readonly name = "AccountError";
  /** Undefined: nothing came back. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: { cause?: unknown }) {
    super(message, options);
    this.status = status;
  }
}
