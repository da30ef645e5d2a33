/** A local HTTP service to expose: echoes, streams, events, WebSockets. Real HTTP on a real port. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  /** Requests that ended before their answer did. */
  readonly abandoned: () => number;
}

const block = Buffer.alloc(1 << 20, "postern, a door at the back. ");

/** The SHA-256 of what `/bytes?mib=n` sends. */
export function hashOfBytes(mib: number): string {
  const hash = createHash("sha256");
  for (let at = 0; at < mib; at++) hash.update(block);
  return hash.digest("hex");
}

export async function startService(): Promise<Service> {
  let abandoned = 0;
  const server = createServer((request, response) => {
    response.once("close", () => {
      if (!response.writableFinished) abandoned++;
    });
    answer(request, response);
  });
  const sockets = new WebSocketServer({ server, path: "/echo" });
  sockets.on("connection", (socket) =>
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    abandoned: () => abandoned,
    [Symbol.asyncDispose]: async () => {
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://service");
  switch (url.pathname) {
    case "/headers":
      response.end(JSON.stringify(request.headers));
      return;
    case "/upload": {
      const hash = createHash("sha256");
      request.on("data", (chunk: Buffer) => hash.update(chunk));
      request.once("end", () => response.end(hash.digest("hex")));
      return;
    }
    case "/bytes":
      return sendBlocks(response, Number(url.searchParams.get("mib")));
    case "/endless":
      return sendBlocks(response, Number.POSITIVE_INFINITY);
    case "/cut":
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("the first half");
      setTimeout(() => response.destroy(), 50);
      return;
    case "/events":
      response.writeHead(200, { "content-type": "text/event-stream" });
      return sendEvents(response, Number(url.searchParams.get("count")), Number(url.searchParams.get("everyMs")));
    default:
      response.end("hello from the service\n");
  }
}

function sendBlocks(response: ServerResponse, count: number): void {
  if (Number.isFinite(count)) response.setHeader("content-length", count * block.length);
  let sent = 0;
  const send = (): void => {
    while (sent < count && !response.destroyed) {
      sent++;
      if (!response.write(block)) {
        response.once("drain", send);
        return;
      }
    }
    if (sent >= count) response.end();
  };
  send();
}

function sendEvents(response: ServerResponse, count: number, everyMs: number): void {
  let sent = 0;
  const timer = setInterval(() => {
    response.write(`data: ${sent++}\n\n`);
    if (sent < count) return;
    clearInterval(timer);
    response.end();
  }, everyMs);
  response.once("close", () => clearInterval(timer));
}
