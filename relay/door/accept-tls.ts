import type { Socket } from "node:net";
import { TLSSocket, type TLSSocketOptions } from "node:tls";
import { ignoreErrors } from "../../shared/nodejs/ignore-errors.ts";
import { resetThrough } from "../../shared/nodejs/reset.ts";

/** The relay's end of TLS on a connection that has come, with its ClientHello put back. */
export function acceptTls(tcp: Socket, options: TLSSocketOptions): TLSSocket {
  return resetThrough(ignoreErrors(new TLSSocket(tcp, { ...options, isServer: true })), tcp);
}
