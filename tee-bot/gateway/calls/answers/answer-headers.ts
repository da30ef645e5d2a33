import type { UpstreamHeaders } from "../attempts/outcome.ts";

/**
 * What of a provider's head does not reach the client: what belongs to one connection (RFC 9110 §7.6.1), what this
 * gateway says itself, and what would set rules for the whole name, at which a provider is a guest.
 */
const dropped = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "date",
  "server",
  "server-timing",
  "via",
  "x-powered-by",
  "x-request-id",
  "alt-svc",
  "clear-site-data",
  "content-security-policy",
  "content-security-policy-report-only",
  "nel",
  "refresh",
  "report-to",
  "reporting-endpoints",
  "set-cookie",
  "set-cookie2",
  "strict-transport-security",
  "vary",
]);
const droppedFamily = /^(access-control-|x-postern-|cross-origin-|:)/;

/** Adds to `list`, as names and values in turn, what the client may see of a provider's headers. */
export function addPassedHeaders(list: string[], headers: UpstreamHeaders): void {
  const { connection } = headers;
  const named = connection === undefined || connection === "keep-alive" ? undefined : String(connection).toLowerCase();
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || dropped.has(name) || droppedFamily.test(name)) continue;
    if (named !== undefined && named.split(",").some((one) => one.trim() === name)) continue;
    list.push(name, typeof value === "string" ? value : value.join(", "));
  }
}

const plain = /^[\x21-\x7e]*$/;

/** A model's name as a header can carry it. */
export function headerText(text: string): string {
  return plain.test(text) ? text : encodeURIComponent(text.toWellFormed());
}
