/**
 * The one vocabulary of failures, with the HTTP status each is rendered as. Codes cross process
 * boundaries; classes do not. Add a word here before inventing a class.
 */
export const errorCodes = {
  "bad-request": [400, "The request is malformed"],
  "signature-missing": [401, "The request is not signed"],
  "signature-invalid": [401, "The signature was refused"],
  "signature-expired": [401, "The signature is too old or from the future"],
  "nonce-replayed": [401, "The request was seen before"],
  "key-weak": [401, "The key is not acceptable"],
  forbidden: [403, "Not allowed"],
  "relay-unknown": [403, "The relay is not on the allow-list"],
  "not-found": [404, "Not found"],
  "method-not-allowed": [405, "The method is not allowed here"],
  "not-registered": [404, "The node is not registered"],
  "name-taken": [409, "The name belongs to another key"],
  "name-limit": [409, "The node holds as many aliases as it may"],
  "epoch-superseded": [409, "A newer registration of this key exists"],
  "lease-expired": [409, "The lease has run out"],
  "too-large": [413, "The request is too large"],
  "unsupported-media-type": [415, "The content type is not accepted"],
  "name-invalid": [422, "The name is not acceptable"],
  "name-reserved": [422, "The name is reserved"],
  "csr-rejected": [422, "The certificate request was refused"],
  "plaintext-refused": [422, "This must not be sent unsealed"],
  "too-many-requests": [429, "Too many requests"],
  "evidence-rejected": [422, "The evidence was refused"],
  internal: [500, "Something went wrong here"],
  "not-supported": [501, "This is not supported here"],
  "upstream-unavailable": [502, "What is behind this name did not answer"],
  "issuer-unavailable": [503, "No certificate can be issued now"],
  overloaded: [503, "There is too much to do here now"],
  "tee-absent": [503, "There is no TEE here"],
  "upstream-timeout": [504, "What is behind this name took too long"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ErrorCode = keyof typeof errorCodes;

/** A failure with a code of the vocabulary; `detail` is one sentence safe to show to the caller. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, options?: { cause?: unknown }) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
  }
}

/** A failure as a value, for RPC between Durable Objects, which loses classes on the way. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

export const succeed = <T>(value: T): Result<T> => ({ ok: true, value });
export const fail = <T = never>(code: ErrorCode, detail: string): Result<T> => ({ ok: false, error: { code, detail } });

/** The value of a result; throws its failure as an {@link AppError}. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new AppError(result.error.code, result.error.detail);
}

/** The text of anything thrown, for a log line. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return error.message + cause;
}
