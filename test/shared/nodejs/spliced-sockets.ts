import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { splice, type SpliceOptions, type SpliceResult } from "../../../shared/nodejs/splice.ts";

/** A visitor and a backend, each on one real connection, and the splice between their far ends. */
export interface Spliced {
  visitor: Socket;
  backend: Socket;
  /** The ends that are spliced: of the visitor's connection, and of the backend's. */
  a: Socket;
  b: Socket;
  result: Promise<SpliceResult>;
}

export async function openSplice(options: Partial<SpliceOptions> = {}): Promise<Spliced> {
  const { visitor, backend, a, b } = await openPairs();
  return { visitor, backend, a, b, result: splice(a, b, { idleMs: 10_000, ...options }) };
}

export async function openPairs(): Promise<Omit<Spliced, "result">> {
  const [visitor, a] = await openPair();
  const [b, backend] = await openPair();
  return { visitor, backend, a, b };
}

async function openPair(): Promise<[dialled: Socket, accepted: Socket]> {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const dialled = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  const [accepted] = (await once(server, "connection")) as [Socket];
  if (dialled.connecting) await once(dialled, "connect");
  server.close();
  for (const socket of [dialled, accepted]) socket.on("error", () => {});
  return [dialled, accepted];
}

/** Resolves when the socket is closed, or at once when it is. */
export const closed = async (socket: Socket): Promise<void> => {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
};
