import type { TunnelSocket } from "./tunnel-socket.ts";

/**
 * Ends both directions at once; the other end sees a reset. Always this and never `resetAndDestroy` itself: while the
 * end of a direction is on its way to the kernel, Node (24.21) fails to reset with EINVAL and never closes the handle,
 * so that "close" does not come and a thread does not end. Such a socket is destroyed, since its end was meant.
 */
export function reset(socket: TunnelSocket): void {
  const isShuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (isShuttingDown) socket.destroy();
  else socket.resetAndDestroy();
}
