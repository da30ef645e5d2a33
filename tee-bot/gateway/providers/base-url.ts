import { ProviderError } from "./provider.ts";

export interface BaseUrl {
  /** `https://api.example.com`. */
  readonly origin: string;
  /** Without a slash at its end: `/v1`, or nothing. */
  readonly path: string;
}

/** The base URL of a provider as its user wrote it. Throws {@link ProviderError}. */
export function parseBaseUrl(text: string): BaseUrl {
  const url = URL.parse(text);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new ProviderError("broken", "Its url is no http:// or https:// URL.");
  if (url.username !== "" || url.password !== "")
    throw new ProviderError("broken", "Its url has a password in it. Put the key where keyEnv or keyFile say.");
  if (url.search !== "" || url.hash !== "")
    throw new ProviderError("broken", "Its url has a query, which would be lost. Only scheme, host and path are used.");
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, "") };
}
