/** An error that a provider gives where success is promised, as the answer that it should have been. */
import type { HeldAnswer } from "../attempts/outcome.ts";

const badGateway = 502;

/** Of the first event of a stream. */
export function errorAnswer(data: string): HeldAnswer {
  const error = (parseJson(data) as { error?: unknown } | undefined)?.error;
  return { status: statusOfError(error), headers: { "content-type": "application/json" }, body: Buffer.from(data) };
}

/** OpenRouter and others put the HTTP status into `code`. */
export function statusOfError(error: unknown): number {
  const code = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === "number" && code >= 400 && code < 600 ? code : badGateway;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
