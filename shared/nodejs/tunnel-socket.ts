import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { reset } from "./reset.ts";

/** What carries one visitor through a tunnel: a TCP socket, TLS on top of one, or a stream of an HTTP/2 session. */
export interface TunnelSocket extends Duplex {
  readonly bytesRead: number;
  /** Bytes that wait to be sent count too, as they do for a TCP socket. */
  readonly bytesWritten: number;
  /** Ends both directions at once; the other end sees a reset. */
  resetAndDestroy(): this;
}

/** Makes a reset of `tls` one of the TCP socket it is on: Node 24 only throws ERR_INVALID_HANDLE_TYPE. */
export function resetThrough(tls: TLSSocket, tcp: Socket): TLSSocket {
  tls.resetAndDestroy = () => {
    reset(tcp); // "close" of the one destroys the other
    return tls;
  };
  return tls;
}
