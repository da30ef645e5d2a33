import { connect } from "node:net";
import { Duplex } from "node:stream";
import type { ByteStream } from "../../shared/dns/authority.ts";

/** TCP as a pair of web streams; a connection that fails shows in both. */
export function connectTcp({ hostname, port }: { hostname: string; port: number }): ByteStream {
  const socket = connect({ host: hostname, port });
  const { readable, writable } = Duplex.toWeb(socket);
  return {
    readable: readable as ReadableStream<Uint8Array>,
    writable: writable as WritableStream<Uint8Array>,
    close: () => {
      socket.destroy();
      return Promise.resolve();
    },
  };
}
