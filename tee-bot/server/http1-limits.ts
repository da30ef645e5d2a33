import type { ServerOptions } from "node:http";

export const maxHeaderBytes = 32 * 1024;
const usualHeadersTimeoutMs = 30_000;
const keepAliveTimeoutMs = 75_000;

/** What every HTTP/1.1 server of the node bears with. `headersTimeoutMs`: how long the head of a request may take. */
export function http1Limits(headersTimeoutMs = usualHeadersTimeoutMs): ServerOptions {
  return {
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: headersTimeoutMs / 4,
    requestTimeout: 0, // uploads take as long as they take; whoever reads them ends those that stand still
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: maxHeaderBytes,
  };
}
