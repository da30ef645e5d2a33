/** Who may come in at a surface, as far as the head of a request tells, and what browsers are told about it. */
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "./api/api-error.ts";
import type { Surface } from "./api/call.ts";

const loopbackHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;
const loopbackOrigin = /^[a-z][a-z0-9+.-]*:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;

/** Whether the port on this machine refuses a request: that of a name which leads here by chance, or of a foreign page. */
export function decideDoor({ host, origin }: IncomingHttpHeaders): ApiError | undefined {
  if (host === undefined || !loopbackHost.test(host))
    return new ApiError("origin_not_allowed", "This port answers as 127.0.0.1 and localhost only, by no other name.");
  if (origin !== undefined && !loopbackOrigin.test(origin))
    return new ApiError(
      "origin_not_allowed",
      "This port answers no web page from elsewhere. Use the node's public name.",
    );
  return undefined;
}

/** Names and values in turn. A key is asked for at the public name, so any page may call that has one. */
export function corsHeaders(surface: Surface, origin: string | undefined): readonly string[] {
  if (surface === "public") return publicCors;
  return origin === undefined ? noCors : ["access-control-allow-origin", origin, "vary", "origin", ...exposed];
}

const exposed = ["access-control-expose-headers", "*"];
const noCors: readonly string[] = [];
const publicCors: readonly string[] = ["access-control-allow-origin", "*", ...exposed];

const headerNames = /^[\w!#$%&'*+.^`|~, -]{0,1024}$/;
const preflightSeconds = 7_200;

/** The answer to a preflight; `*` would not stand for `authorization`. */
export function preflightHeaders(cors: readonly string[], headers: IncomingHttpHeaders): string[] {
  const asked = headers["access-control-request-headers"];
  return [
    ...cors,
    "access-control-allow-methods",
    "GET, POST, DELETE, OPTIONS",
    "access-control-allow-headers",
    asked !== undefined && headerNames.test(asked) ? asked : "authorization, content-type",
    "access-control-max-age",
    String(preflightSeconds),
    "allow",
    "GET, POST, OPTIONS",
  ];
}
