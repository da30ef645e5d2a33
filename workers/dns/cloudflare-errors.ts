/** What a failed call of Cloudflare's API means. The codes are from its documentation and from what users report. */
import { APIError } from "cloudflare/core/error";
import { ProviderError, type ProviderFailureKind } from "./provider.ts";

const kindOfCode: Readonly<Record<number, ProviderFailureKind>> = {
  1000: "unauthorized", // Invalid API Token
  6003: "unauthorized", // Invalid request headers: no token at all
  7003: "unauthorized", // Could not route: no zone of this id
  9106: "unauthorized", // Missing headers
  9109: "unauthorized", // Unauthorized to access requested resource, invalid access token
  10000: "unauthorized", // Authentication error: also for missing rights
  81044: "conflict", // Record does not exist
  81045: "quota", // Record quota exceeded
  81057: "conflict", // The record already exists
  81058: "conflict", // An identical record already exists
};

const maxRetryAfterMs = 60 * 60_000;

export function providerErrorOf(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  if (!(error instanceof APIError) || error.status === undefined)
    return new ProviderError("unavailable", "Cloudflare's API cannot be reached, or its answer makes no sense.", {
      cause: error,
    });
  const { status, headers } = error;
  const retryAfterMs = parseRetryAfter(headers?.get("retry-after"));
  const options = { cause: error, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  if (status === 429) return new ProviderError("rate-limited", "Cloudflare limits the rate of calls.", options);
  const [first] = Array.isArray(error.errors) ? error.errors : [];
  if (status >= 500 || typeof first?.code !== "number")
    return new ProviderError("unavailable", `Cloudflare's API answered with status ${status}.`, options);
  const kind = kindOfCode[first.code] ?? (status === 401 || status === 403 ? "unauthorized" : "refused");
  return new ProviderError(kind, `Cloudflare answers: ${wordsOf(first)} (code ${first.code}).`, options);
}

/** The reason is in the chain where the message itself is only "DNS Validation Error". */
function wordsOf(first: { message?: unknown; error_chain?: unknown }): string {
  const chain = Array.isArray(first.error_chain) ? (first.error_chain as { message?: unknown }[]) : [];
  const messages = [first.message, ...chain.map(({ message }) => message)];
  const words = messages.filter((message) => typeof message === "string").join(": ");
  return words.slice(0, maxWords).replace(/\.$/, "");
}

const maxWords = 300;

/** RFC 9110 §10.2.3: seconds or a date. */
function parseRetryAfter(value: string | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), maxRetryAfterMs);
}
