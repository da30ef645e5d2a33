import type { Duplex } from "node:stream";

/** An error of a socket is followed by "close", which everyone listens to; unheard, it would end the process. */
export function ignoreErrors<T extends Duplex>(socket: T): T {
  return socket.on("error", nothing);
}

const nothing = (): void => {};
