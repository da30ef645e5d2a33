import type { TokenBucket } from "./token-bucket.ts";

/**
 * What is left of the limits, as OpenAI tells it.
 * https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 */
export function rateHeaders(
  requests: TokenBucket | undefined,
  tokens: TokenBucket | undefined,
  now: number,
): readonly string[] {
  if (!requests && !tokens) return none;
  return [...headersOf("requests", requests, now), ...headersOf("tokens", tokens, now)];
}

const none: readonly string[] = [];

function headersOf(what: "requests" | "tokens", bucket: TokenBucket | undefined, now: number): readonly string[] {
  if (!bucket) return none;
  const left = Math.max(0, Math.floor(bucket.level(now)));
  return [
    `x-ratelimit-limit-${what}`,
    String(bucket.capacity),
    `x-ratelimit-remaining-${what}`,
    String(left),
    `x-ratelimit-reset-${what}`,
    formatReset(bucket.msUntil(bucket.capacity, now)),
  ];
}

/** Until the limit is whole again: `120ms`, `7s`, `6m0s`, `1h2m3s`. */
export function formatReset(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes % 60}m` : ""}${seconds % 60}s`;
}
