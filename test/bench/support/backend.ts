/**
 * The server behind every way that is compared: answers `GET /bytes/N` over TLS and over plain HTTP, from prepared
 * bytes and without an HTTP library, so that it is not what limits a measurement. Runs as a process of its own.
 */
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

const patternBytes = 1 << 20;
const chunkBytes = 256 * 1024;
/** A request of the load client or of the node's proxy is far smaller and comes in one piece. */
const maxHeldBytes = 16 * 1024;

// load/connection.c checks this pattern.
const pattern = Buffer.from(Array.from({ length: patternBytes }, (_, at) => (at * 31 + (at >> 8) * 7) & 0xff));
const heads = new Map<number, Buffer>();

const [certificatePath = "", keyPath = ""] = process.argv.slice(2);
const tls = createTlsServer({
  cert: readFileSync(certificatePath),
  key: readFileSync(keyPath),
  noDelay: true,
  minVersion: "TLSv1.3",
});
tls.on("secureConnection", serve);
tls.on("tlsClientError", () => {});
const plain = createServer({ noDelay: true }, serve);

process.send?.({ ready: true, tlsPort: await listen(tls), plainPort: await listen(plain) });
process.once("disconnect", () => process.exit());

function serve(socket: Socket): void {
  let held = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    held += chunk.toString("latin1");
    if (held.length > maxHeldBytes) return socket.destroy();
    for (let end = held.indexOf("\r\n\r\n"); end >= 0; end = held.indexOf("\r\n\r\n")) {
      const [, bytes] = /^GET \/bytes\/(\d+) /.exec(held) ?? [];
      held = held.slice(end + 4);
      if (bytes === undefined) return socket.destroy();
      answer(socket, Number(bytes));
    }
  });
}

function answer(socket: Socket, bytes: number): void {
  if (bytes <= chunkBytes) return void socket.write(Buffer.concat([headOf(bytes), pattern.subarray(0, bytes)]));
  socket.write(headOf(bytes));
  let at = 0;
  const send = (): void => {
    while (at < bytes) {
      const start = at % patternBytes;
      const chunk = pattern.subarray(start, Math.min(start + chunkBytes, start + bytes - at));
      at += chunk.length;
      if (!socket.write(chunk)) return void socket.once("drain", send);
    }
  };
  send();
}

function headOf(bytes: number): Buffer {
  const head =
    heads.get(bytes) ??
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: ${bytes}\r\n\r\n`);
  heads.set(bytes, head);
  return head;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => resolve((server.address() as AddressInfo).port)),
  );
}
