/**
 * Headers on their way through: what belongs to one connection only is dropped, and where the request came from is
 * said in `X-Forwarded-*` and `Forwarded` (RFC 7239). What a visitor sends in these is dropped: the node is the
 * first that could know.
 */
import type { IncomingHttpHeaders } from "node:http";

/** RFC 9110 §7.6.1, and `expect`, which our own server has answered. */
const hopByHop = new Set([
  "connection",
  "expect",
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
/** CGI and WSGI take an underscore for a hyphen, so both spellings would reach them as one name. */
const claimsOfOrigin = /^(forwarded|x[-_]forwarded[-_].*|x[-_]real[-_]ip)$/;

/** The headers to send to the service, as a flat list of names and values. `host` stands for what the visitor named. */
export function requestHeaders(headers: IncomingHttpHeaders, client: string, host = hostOf(headers)): string[] {
  const named = connectionHeaders(headers.connection);
  const list: string[] = ["host", host];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === "host" || name.startsWith(":")) continue;
    if (hopByHop.has(name) || named.has(name) || claimsOfOrigin.test(name)) continue;
    for (const one of Array.isArray(value) ? value : [value]) list.push(name, one);
  }
  const node = client.includes(":") ? `"[${client}]"` : client;
  list.push("x-forwarded-for", client, "x-forwarded-proto", "https", "x-forwarded-host", host);
  list.push("forwarded", `for=${node};host="${host.replace(/["\\]/g, "")}";proto=https`);
  return list;
}

/** HTTP/2 has the name in `:authority`, which counts rather than a Host header beside it (RFC 9113 §8.3.1). */
function hostOf(headers: IncomingHttpHeaders): string {
  return String(headers[":authority"] ?? headers.host ?? "");
}

/** The headers to send to the visitor. `version` is that of the visitor's connection. */
export function responseHeaders(
  headers: Record<string, string | string[] | undefined>,
  version: 1 | 2,
): Record<string, string | string[]> {
  const named = connectionHeaders(headers["connection"]);
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopByHop.has(name) || named.has(name)) continue;
    // Node's HTTP/2 refuses to send some headers twice; RFC 9110 §5.2 gives the two lines the same meaning as one.
    const join = version === 2 && Array.isArray(value) && name !== "set-cookie";
    kept[name] = join ? value.join(", ") : value;
  }
  return kept;
}

function connectionHeaders(value: string | string[] | undefined): Set<string> {
  const names = Array.isArray(value) ? value.join(",") : (value ?? "");
  return new Set(names.split(",").map((name) => name.trim().toLowerCase()));
}
