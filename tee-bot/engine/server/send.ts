import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { EngineError } from "../api/engine-error.ts";

/** For somebody who came when too many waited. */
const retryAfterSeconds = 2;
/** A reader who takes nothing for so long gives up the sequence that is busy for him. */
const stalledMs = 30_000;

export function sendJson(response: ServerResponse, value: object, status = 200): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

/** As an answer; as the last event, when one has begun. */
export function sendError(response: ServerResponse, error: EngineError): void {
  if (response.headersSent) return void response.end(eventOf(error.body));
  if (error.status === 503) response.setHeader("retry-after", retryAfterSeconds);
  sendJson(response, error.body, error.status);
}

export function eventOf(value: object | "[DONE]"): string {
  return `data: ${value === "[DONE]" ? value : JSON.stringify(value)}\n\n`;
}

/** Waits while the reader is behind. Throws when he leaves, or takes nothing for too long. */
export async function sendEvent(response: ServerResponse, event: string, signal: AbortSignal): Promise<void> {
  if (!response.headersSent)
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  if (response.write(event)) return;
  await once(response, "drain", { signal: AbortSignal.any([signal, AbortSignal.timeout(stalledMs)]) });
}
