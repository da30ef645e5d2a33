import { AppError } from "../../shared/errors.ts";

/** What stands behind the public name. */
export type Target =
  | { kind: "gateway" }
  /** An HTTP service; TLS ends in the node. */
  | { kind: "http"; origin: string }
  /** A TLS server that gets the visitor's bytes as they are; with `proxy`, after a PROXY v2 header. */
  | { kind: "tls"; host: string; port: number; proxy: boolean };

const examples =
  "Give gateway, http://127.0.0.1:3000, or tls://127.0.0.1:9443 (with ?proxy=v2 for the client's address).";

/** Reads `gateway`, `http://host:port`, `https://host:port`, `tls://host:port` or `tls://host:port?proxy=v2`. */
export function parseTarget(text: string): Target {
  const refuse = (why: string): never => {
    const shown = text.replace(/\/\/.*@/, "//…@"); // never a password
    throw new AppError("bad-request", `"${shown}" cannot be exposed: ${why} ${examples}`);
  };
  if (text === "gateway") return { kind: "gateway" };
  if (!URL.canParse(text)) return refuse("it is not a URL.");
  const url = new URL(text);
  if (!["http:", "https:", "tls:"].includes(url.protocol))
    return refuse(`${url.protocol.slice(0, -1)} is not a scheme it knows.`);
  if (url.username || url.password) return refuse("a URL with credentials is not accepted.");
  if (url.port === "0") return refuse("port 0 is none.");
  if ((url.pathname !== "" && url.pathname !== "/") || url.hash)
    return refuse("a path is not accepted; the whole service is exposed.");
  if (url.protocol !== "tls:") {
    if (url.search) return refuse("a query is not accepted.");
    return { kind: "http", origin: url.origin };
  }
  if (url.port === "") return refuse("the port is missing.");
  if (url.search !== "" && url.search !== "?proxy=v2") return refuse("the only option is ?proxy=v2.");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1"); // a socket takes an IPv6 address without brackets
  return { kind: "tls", host, port: Number(url.port), proxy: url.search !== "" };
}

/** The text that {@link parseTarget} reads back. */
export function formatTarget(target: Target): string {
  if (target.kind === "gateway") return "gateway";
  if (target.kind === "http") return target.origin;
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `tls://${host}:${target.port}${target.proxy ? "?proxy=v2" : ""}`;
}
