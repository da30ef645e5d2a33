import { errorBody, type ApiError } from "../../api/api-error.ts";
import type { ClientAnswer } from "./client-answer.ts";

/** Answers with an error of this gateway, in OpenAI's form. `headers`: what else the answer says, names and values in turn. */
export function answerError(client: ClientAnswer, error: ApiError, headers: readonly string[]): void {
  const body = Buffer.from(JSON.stringify(errorBody(error)));
  const list = [
    ...headers,
    ...error.headers,
    "content-type",
    "application/json",
    "content-length",
    String(body.length),
    "cache-control",
    "no-store",
    "x-postern-failed",
    error.failed,
  ];
  if (error.retryAfterMs !== undefined)
    list.push("retry-after", String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))));
  if (error.code === "invalid_api_key") list.push("www-authenticate", "Bearer");
  // OpenAI's clients try every 5xx again, this one for nothing.
  if (error.code === "not_supported") list.push("x-should-retry", "false");
  client.begin(error.status, list);
  client.end(body);
}
