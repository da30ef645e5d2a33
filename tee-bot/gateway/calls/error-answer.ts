/** Errors that providers give where success is promised, as the answers that they should have been. */
import type { HeldAnswer } from "./outcome.ts";

const badGateway = 502;

/** Of the first event of a stream. */
export function errorAnswer(data: string): HeldAnswer {
  const error = (parseJson(data) as { error?: unknown } | undefined)?.error;
  return { status: statusOf(error), headers: { "content-type": "application/json" }, body: Buffer.from(data) };
}

/** The status that an answer with status 200 should have had: of one that is an error and nothing else. */
export function hiddenErrorStatus(body: Buffer): number | undefined {
  if (!/^\s*\{\s*"error"\s*:\s*[^n\s]/.test(body.subarray(0, 64).toString("latin1"))) return undefined;
  const { error, choices, data, output } = (parseJson(body.toString()) ?? {}) as Record<string, unknown>;
  return (choices ?? data ?? output) === undefined ? statusOf(error) : undefined;
}

/** OpenRouter and others put the HTTP status into `code`. */
function statusOf(error: unknown): number {
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
