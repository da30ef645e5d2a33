import { createServer, type Server } from "node:http";
import type { HttpHandler } from "./terminator.ts";
import { http1Limits } from "./http1-limits.ts";

/** An HTTP server on this machine, without TLS, with the limits of the public one. It has yet to listen. */
export function createLocalHttp(handler: HttpHandler): Server {
  const addressesOf = (socket: {
    remoteAddress?: string | undefined;
    remotePort?: number | undefined;
    localPort?: number | undefined;
  }) => ({
    sourceAddress: socket.remoteAddress ?? "127.0.0.1",
    sourcePort: socket.remotePort ?? 0,
    destinationAddress: "127.0.0.1",
    destinationPort: socket.localPort ?? 0,
  });
  return createServer(http1Limits(), (request, response) => {
    handler.request(request, response, addressesOf(request.socket));
  });
}
