import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TunnelSocket } from "./tunnel-socket.ts";

/** The TLS on top of a TCP socket, whose end the TCP socket itself does not know of. */
const tlsOver = new WeakMap<TunnelSocket, TLSSocket>();

/**
 * Ends both directions at once; the other end sees a reset. Always this and never `resetAndDestroy` itself: while the
 * end of a direction is on its way to the kernel, Node (24.21) fails to reset with EINVAL and never closes the handle,
 * so that "close" does not come and a thread does not end. Such a socket is destroyed, since its end was meant.
 */
export function reset(socket: TunnelSocket): void {
  const tls = tlsOver.get(socket);
  if (isShuttingDown(socket) || (tls && isShuttingDown(tls))) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Makes a reset of `tls` one of the TCP socket it is on, for which Node 24 only throws ERR_INVALID_HANDLE_TYPE. Due
 * wherever TLS is put on a socket that may be reset.
 */
export function resetThrough(tls: TLSSocket, tcp: Socket): TLSSocket {
  tlsOver.set(tcp, tls);
  tls.resetAndDestroy = () => {
    reset(tcp); // "close" of the one destroys the other
    return tls;
  };
  return tls;
}

function isShuttingDown({ writableEnded, writableFinished, writableLength }: TunnelSocket): boolean {
  return writableEnded && !writableFinished && writableLength === 0;
}
