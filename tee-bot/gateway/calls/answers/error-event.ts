/** How a stream that cannot be finished says so: in the stream's own form, so that every client raises. */
import { ApiError, errorBody, type ApiErrorCode } from "../../api/api-error.ts";
import type { StreamForm } from "../../api/endpoints.ts";

/** `tail`: what the client has got last. */
export function errorEvent(form: StreamForm, code: ApiErrorCode, message: string, tail: string): string {
  const { error } = errorBody(new ApiError(code, message)) as { error: { message: string; code: string } };
  if (form === "ollama-lines") return `${JSON.stringify({ error: error.message })}\n`;
  if (form !== "responses") return `data: ${JSON.stringify({ error })}\n\n`;
  // The API's own form has the fields beside `type`; `openai` for JavaScript raises for an `error` only.
  const sequence = Number([...tail.matchAll(/"sequence_number"\s*:\s*(\d+)/g)].at(-1)?.[1] ?? -1) + 1;
  const said = { type: "error", code: error.code, message: error.message, param: null, sequence_number: sequence };
  return `event: error\ndata: ${JSON.stringify({ ...said, error })}\n\n`;
}
