import type { Duplex } from "node:stream";

/** What carries one visitor through a tunnel: a TCP socket, TLS on top of one, or a stream of an HTTP/2 session. */
export interface TunnelSocket extends Duplex {
  readonly bytesRead: number;
  /** Bytes that wait to be sent count too, as they do for a TCP socket. */
  readonly bytesWritten: number;
  /** Ends both directions at once; the other end sees a reset. */
  resetAndDestroy(): this;
}
