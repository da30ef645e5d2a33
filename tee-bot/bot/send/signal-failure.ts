/**
 * Why a call of the REST server failed. It tells failures by nothing but a text, which may name people and repeat what was
 * sent: the text is matched here and goes no further.
 */
import { AppError, type ErrorCode } from "../../../shared/errors.ts";
import { Sensitive } from "../../../shared/sensitive.ts";

export const failureKinds = {
  /** Signal wants fewer messages of this account, or a captcha. */
  "rate-limited": ["too-many-requests", "Signal limits what this account may send."],
  /** The recipient has a new key that nobody has trusted yet. */
  untrusted: ["forbidden", "The recipient's safety number has changed, and is not trusted yet."],
  unregistered: ["not-found", "The recipient is not registered at Signal."],
  /** signal-cli says that it could not be sent, without a reason: mostly its own connection. */
  network: ["upstream-unavailable", "signal-cli could not reach Signal."],
  refused: ["bad-request", "The Signal REST server refused the call."],
  /** The address leads to something else, or a proxy wants other credentials. */
  misplaced: ["upstream-unavailable", "What answers at the address of the Signal REST server is something else."],
  absent: ["not-found", "The Signal REST server does not have this."],
  /** No connection was made, so nothing was asked. */
  unreachable: ["upstream-unavailable", "The Signal REST server cannot be reached."],
  /** It was asked, and nobody knows whether it did it. */
  unknown: ["upstream-timeout", "The Signal REST server did not say what became of the call."],
  "too-large": ["too-large", "The answer of the Signal REST server is larger than allowed."],
  /** It was not asked: too much waited for it, or nobody wants it any more. */
  dropped: ["overloaded", "Too much waits for the Signal REST server."],
} as const satisfies Record<string, readonly [code: ErrorCode, detail: string]>;

export type FailureKind = keyof typeof failureKinds;

/** A call that failed; its texts are ours, and safe to show. */
export class SignalFailure extends AppError {
  readonly kind: FailureKind;
  /** What lifts a rate limit, together with a captcha. */
  readonly challenge: Sensitive<string> | undefined;

  constructor(kind: FailureKind, { challenge }: { challenge?: Sensitive<string> | undefined } = {}) {
    const [code, detail] = failureKinds[kind];
    super(code, detail);
    this.kind = kind;
    this.challenge = challenge;
  }
}

/** What an answer other than 2xx means. `text`: of its `error`, empty if it has none. */
export function decideFailure(status: number, text: string): FailureKind {
  if (status === 429) return "rate-limited";
  // A proxy says so in place of the server, or the server broke in the middle of it.
  if (status >= 500) return "unknown";
  if (status === 404 && text !== "") return "absent";
  if (status < 400 || [401, 403, 404, 405, 407].includes(status)) return "misplaced";
  if (/untrusted (identit|recipient)/i.test(text)) return "untrusted";
  if (/is not registered|unregistered user/i.test(text)) return "unregistered";
  if (/rate limit/i.test(text)) return "rate-limited";
  if (/^failed to send message\.?$/i.test(text)) return "network";
  // The server's link to signal-cli broke while it waited for the outcome.
  if (/\bEOF\b|broken pipe|connection reset|closed network connection|i\/o timeout/i.test(text)) return "unknown";
  return "refused";
}

/** A plain rate limit has `[""]` where a challenge has its token. */
export function challengeOf(tokens: readonly string[] | undefined): Sensitive<string> | undefined {
  const token = tokens?.find((one) => one !== "");
  return token === undefined ? undefined : new Sensitive(token);
}
