/** What a visitor's request is for, as the service is asked: never another host than the one that is exposed. */
export interface RequestTarget {
  /** Path and query, beginning with a slash. */
  readonly path: string;
  /** The authority of an absolute URL, which then counts rather than the Host header (RFC 9112 §3.2.2). */
  readonly host: string | undefined;
}

/** Reads the origin form and the absolute form of RFC 9112 §3.2; undefined for anything else, such as `*`. */
export function parseRequestTarget(url: string): RequestTarget | undefined {
  if (url.startsWith("/")) return { path: url, host: undefined };
  const absolute = /^https?:\/\/([^/?#@]+)(.*)$/i.exec(url);
  if (!absolute) return undefined;
  const [, host, rest = ""] = absolute;
  return { path: rest.startsWith("/") ? rest : `/${rest}`, host };
}
