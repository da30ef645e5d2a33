/** A local service that says, byte for byte, what the test wants: also what no HTTP server would. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

export interface RawService extends AsyncDisposable {
  readonly port: number;
  readonly origin: string;
  /** Every connection so far, open or not. */
  readonly connections: readonly RawConnection[];
}

export interface RawConnection {
  readonly socket: Socket;
  /** All that came over it so far. */
  readonly received: () => string;
}

/** `onData` is called whenever something has come, with all of it. */
export async function startRawService(
  onData: (connection: RawConnection, received: string) => void,
): Promise<RawService> {
  const connections: RawConnection[] = [];
  const server = createServer((socket) => {
    let received = "";
    const connection = { socket, received: () => received };
    connections.push(connection);
    socket.on("error", () => {});
    socket.on("data", (chunk) => onData(connection, (received += chunk.toString("latin1"))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    connections,
    [Symbol.asyncDispose]: async () => {
      for (const { socket } of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers each request that has no body, once its head is there, with the next of these texts; the last one repeats. */
export function answering(...answers: string[]): (connection: RawConnection, received: string) => void {
  let next = 0;
  const heads = new WeakMap<RawConnection, number>();
  return (connection, received) => {
    const count = received.split("\r\n\r\n").length - 1;
    for (let at = heads.get(connection) ?? 0; at < count; at++)
      connection.socket.write(answers[Math.min(next++, answers.length - 1)] ?? "", "latin1");
    heads.set(connection, count);
  };
}
