/**
 * The server behind every way that is compared: answers over TLS, from prepared bytes and without an HTTP library, so
 * that it is not what limits a measurement. It listens, and dials the tunnels it is told to. Runs as a process of its own.
 *
 *   GET /bytes/N    N bytes
 *   GET /tokens/N   N tokens of 64 bytes, one every 25 ms, each beginning with the time at which it was sent
 */
import { readFileSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:tls";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import { identityOfPem } from "../../../shared/nodejs/identity-file.ts";
import { collectBuffersYoung } from "../../../shared/nodejs/young-buffers.ts";
import { startTunnel } from "../../../tee-bot/tunnel/tunnel.ts";
import type { TunnelOrder } from "./backend-process.ts";

const patternBytes = 1 << 20;
const chunkBytes = 256 * 1024;
const tokenBytes = 64;
const tokenEveryMs = 25;
/** A request of the load client is far smaller and comes in one piece. */
const maxHeldBytes = 16 * 1024;

collectBuffersYoung();
// load/connection.c checks this pattern.
const pattern = Buffer.from(Array.from({ length: patternBytes }, (_, at) => (at * 31 + (at >> 8) * 7) & 0xff));
const heads = new Map<number, Buffer>();

const [certificatePath = "", keyPath = ""] = process.argv.slice(2);
const tls = createServer({
  cert: readFileSync(certificatePath),
  key: readFileSync(keyPath),
  noDelay: true,
  minVersion: "TLSv1.3",
});
tls.on("secureConnection", serve);
tls.on("tlsClientError", () => {});
process.on("message", (order: TunnelOrder) => void dial(order));
process.once("disconnect", () => process.exit());
tls.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () =>
  process.send?.({ tlsPort: (tls.address() as AddressInfo).port }),
);

/** As the node does it, with TLS ending in this process. */
async function dial({ pem, epoch, relay, transport }: TunnelOrder): Promise<void> {
  startTunnel({
    identity: await identityOfPem(pem, Date.now()),
    epoch,
    relay,
    transport,
    version: "bench",
    clock: systemClock,
    log: silentLog,
    onState: (state) => state !== "connecting" && process.connected && process.send?.({ state }),
    onVisitor: ({ socket }) => {
      socket.allowHalfOpen = false;
      tls.emit("connection", socket);
    },
  });
}

function serve(socket: Socket): void {
  let held = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    held += chunk.toString("latin1");
    if (held.length > maxHeldBytes) return socket.destroy();
    for (let end = held.indexOf("\r\n\r\n"); end >= 0; end = held.indexOf("\r\n\r\n")) {
      const [, what, count] = /^GET \/(bytes|tokens)\/(\d+) /.exec(held) ?? [];
      held = held.slice(end + 4);
      if (what === "bytes") sendBytes(socket, Number(count));
      else if (what === "tokens") sendTokens(socket, Number(count));
      else return socket.destroy();
    }
  });
}

function sendBytes(socket: Socket, bytes: number): void {
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

function sendTokens(socket: Socket, count: number): void {
  socket.write(headOf(count * tokenBytes));
  const timer = setInterval(() => {
    const token = Buffer.alloc(tokenBytes);
    token.writeBigUInt64LE(process.hrtime.bigint()); // CLOCK_MONOTONIC, which the load client reads too
    socket.write(token);
    if (--count === 0) clearInterval(timer);
  }, tokenEveryMs);
  socket.once("close", () => clearInterval(timer));
}

function headOf(bytes: number): Buffer {
  const head =
    heads.get(bytes) ??
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: ${bytes}\r\n\r\n`);
  heads.set(bytes, head);
  return head;
}
