/** What a failed attempt means: for the provider's breaker, and for what is tried next. */
import type { EndpointName } from "../../api/endpoints.ts";
import type { Failure, HeldAnswer } from "./outcome.ts";
import { parseRetryAfter } from "./retry-after.ts";

export type Trouble =
  /** May be gone in a moment. */
  | { readonly kind: "transient"; readonly retryAfterMs?: number | undefined }
  | { readonly kind: "limited"; readonly retryAfterMs?: number | undefined }
  /** To wait again would only double the wait. */
  | { readonly kind: "silent" }
  /** Whoever answers there is not who should. */
  | { readonly kind: "unfit" }
  /** The provider does not take this gateway's key, or its account is empty. */
  | { readonly kind: "key-refused" }
  | { readonly kind: "too-long" }
  /** It does not have the model, or not any more. */
  | { readonly kind: "absent" }
  /** It does not know this endpoint. */
  | { readonly kind: "unsupported" }
  /** The request is wrong, and would be wrong elsewhere too. */
  | { readonly kind: "client-fault" };

const transientStatuses = new Set([408, 425, 500, 502, 503, 504, 529]);
const maxErrorBytes = 64 * 1024;

/** `now`: Unix milliseconds, for a `Retry-After` that is a date. */
export function judgeFailure(failure: Failure, endpoint: EndpointName, now: number): Trouble {
  if (failure.kind === "silent" || failure.kind === "unfit") return { kind: failure.kind };
  const { answer } = failure.kind === "unreachable" ? {} : failure;
  if (!answer) return { kind: "transient" };
  const { status, headers } = answer;
  const error = parseError(answer);
  const retryAfterMs = parseRetryAfter(headers, now);
  if (saysTooLong(error)) return { kind: "too-long" };
  if (status === 401 || status === 402 || status === 403 || error.code === "insufficient_quota")
    return { kind: "key-refused" };
  if (status === 429) return { kind: "limited", retryAfterMs };
  if (endpoint === "responses" && saysUnsupported(status, error)) return { kind: "unsupported" };
  if (status === 404) return { kind: "absent" };
  if (transientStatuses.has(status)) return { kind: "transient", retryAfterMs };
  return { kind: "client-fault" };
}

/** The error object of an answer, as far as it has OpenAI's form; LM Studio's is a text. */
export interface ParsedError {
  readonly code?: unknown;
  readonly type?: unknown;
  readonly message?: unknown;
}

export function parseError({ body, headers }: HeldAnswer): ParsedError {
  if (body.length > maxErrorBytes || headers["content-encoding"] !== undefined) return {};
  try {
    const { error } = JSON.parse(body.toString()) as { error?: unknown };
    if (typeof error === "string") return { message: error };
    return typeof error === "object" && error !== null ? error : {};
  } catch {
    return {};
  }
}

/** OpenAI's code, llama.cpp's type, and the words of vLLM, which has neither. */
function saysTooLong({ code, type, message }: ParsedError): boolean {
  return (
    code === "context_length_exceeded" ||
    type === "exceed_context_size_error" ||
    (typeof message === "string" && /maximum context length/i.test(message))
  );
}

/** A 404 without a code is one of the server's router; LM Studio says so with status 200. */
function saysUnsupported(status: number, { code, message }: ParsedError): boolean {
  if (status === 405 || status === 501) return true;
  const text = typeof message === "string" ? message : "";
  if (/unexpected endpoint/i.test(text)) return true;
  return status === 404 && (code === undefined || code === null || code === 404) && !/model/i.test(text);
}
