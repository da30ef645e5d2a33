import { AppError } from "../../../../shared/errors.ts";

/** What is asked, and where to connect to. */
export interface NodeAddress {
  readonly url: URL;
  /** Without brackets, in lower case. */
  readonly hostname: string;
  /** The `Host` of HTTP. */
  readonly host: string;
  readonly to: { readonly host: string; readonly port: number };
}

const httpsPort = 443;

/**
 * Reads `https://name`, `name` or `name:port`; `connect` is `host:port` where DNS does not lead there. Throws
 * {@link AppError} for what is none.
 */
export function parseNodeAddress(text: string, connect?: string): NodeAddress {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (!url || url.hostname === "" || url.username !== "" || url.password !== "")
    throw new AppError("bad-request", `"${text}" is no address of a node. Give https://name, name, or name:port.`);
  if (url.protocol !== "https:")
    throw new AppError(
      "bad-request",
      `"${text}" is not reached over TLS, so there is no connection to check. Give https://…`,
    );
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  const port = Number(url.port || httpsPort);
  return {
    url: new URL(url.origin),
    hostname,
    host: url.host,
    to: connect === undefined ? { host: hostname, port } : parseConnect(connect),
  };
}

function parseConnect(text: string): NodeAddress["to"] {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new AppError("bad-request", `"${text}" is no host:port to connect to.`);
  return { host, port: Number(port) };
}
