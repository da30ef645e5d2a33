/**
 * Headers on their way through: what belongs to one connection only is dropped, and where the request came from is
 * said in `X-Forwarded-*` and `Forwarded` (RFC 7239). What a visitor sends in these is replaced: the node is the
 * first that could know.
 */
import type { IncomingHttpHeaders } from "node:http";

/** RFC 9110 §7.6.1, and the HTTP/2 pseudo-headers. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);
const replaced = new Set(["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]);

/** The headers to send to the service, as a flat list of names and values. */
export function requestHeaders(headers: IncomingHttpHeaders, client: string): string[] {
  const named = connectionHeaders(headers.connection);
  const host = headers.host ?? String(headers[":authority"] ?? "");
  const list: string[] = ["host", host];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === "host" || name.startsWith(":")) continue;
    if (hopByHop.has(name) || named.has(name) || replaced.has(name)) continue;
    for (const one of Array.isArray(value) ? value : [value]) list.push(name, one);
  }
  const node = client.includes(":") ? `"[${client}]"` : client;
  list.push("x-forwarded-for", client, "x-forwarded-proto", "https", "x-forwarded-host", host);
  list.push("forwarded", `for=${node};host="${host.replace(/["\\]/g, "")}";proto=https`);
  return list;
}

/** The headers to send to the visitor. */
export function responseHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | string[]> {
  const named = connectionHeaders(headers["connection"]);
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !hopByHop.has(name) && !named.has(name)) kept[name] = value;
  return kept;
}

function connectionHeaders(value: string | string[] | undefined): Set<string> {
  const names = Array.isArray(value) ? value.join(",") : (value ?? "");
  return new Set(names.split(",").map((name) => name.trim().toLowerCase()));
}
