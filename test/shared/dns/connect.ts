import { connect as connectTo, type Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Connect } from "../../../shared/dns/authority.ts";

/** TCP on Node in the shape of Cloudflare's sockets. `opened` has every connection that was made. */
export function connectCounting(): { connect: Connect; opened: string[] } {
  const opened: string[] = [];
  const connect: Connect = ({ hostname, port }) => {
    opened.push(`${hostname}:${port}`);
    const socket: Socket = connectTo({ host: hostname, port });
    socket.on("error", () => {}); // the streams tell
    const { readable, writable } = Duplex.toWeb(socket);
    return {
      readable: readable as ReadableStream<Uint8Array>,
      writable: writable as WritableStream<Uint8Array>,
      close: () => Promise.resolve(void socket.destroy()),
    };
  };
  return { connect, opened };
}
