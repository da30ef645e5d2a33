/** A step of the setup that cannot go on: what happened, and what the operator can do. */
export class SetupFailure extends Error {
  readonly remedy: string;

  constructor(what: string, remedy: string, options?: { cause?: unknown }) {
    super(what, options);
    this.remedy = remedy;
  }
}
