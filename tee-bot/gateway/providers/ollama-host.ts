const defaultPort = "11434";

/** Where an Ollama on this machine listens, as `OLLAMA_HOST` tells it and its clients (ollama, envconfig). */
export function parseOllamaHost(value: string | undefined): string {
  const host = (value ?? "")
    .trim()
    .replace(/^["']|["']$/g, "")
    .trim();
  const [, scheme, rest = ""] = /^(?:(https?):\/\/)?(.*?)\/*$/.exec(host) ?? [];
  const bare = /^[0-9a-f]*(:[0-9a-f]*){2,}$/i.test(rest) ? `[${rest}]` : rest; // an IPv6 address
  const url = URL.parse(`${scheme ?? "http"}://${bare.startsWith(":") ? `127.0.0.1${bare}` : bare || "127.0.0.1"}`);
  if (!url) return `http://127.0.0.1:${defaultPort}`;
  // To listen everywhere is no place to call.
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (url.hostname === "[::]") url.hostname = "[::1]";
  const hasPort = /:\d+$/.test(bare);
  if (!hasPort && scheme === undefined) url.port = defaultPort;
  return url.origin;
}
