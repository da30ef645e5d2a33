import type { UpstreamHeaders } from "./outcome.ts";

/** For how long a provider asks to be left alone (RFC 9110 §10.2.3); undefined: it does not say. */
export function parseRetryAfter(headers: UpstreamHeaders, now: number): number | undefined {
  const milliseconds = parseCount(headers["retry-after-ms"]); // OpenAI's own, finer
  if (milliseconds !== undefined) return milliseconds;
  const value = headers["retry-after"];
  const seconds = parseCount(value);
  if (seconds !== undefined) return seconds * 1_000;
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function parseCount(value: string | string[] | undefined): number | undefined {
  return typeof value === "string" && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
