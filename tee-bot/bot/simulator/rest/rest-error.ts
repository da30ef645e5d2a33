/** An answer of signal-cli-rest-api that is not the one hoped for; nearly all are a 400 with a sentence. */
export class RestError extends Error {
  override readonly name = "RestError";
  readonly status: 400 | 404 | 429 | 500;
  /** Beside `error`. */
  readonly fields: object;

  constructor(message: string, status: RestError["status"] = 400, fields: object = {}) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}
