/** What stands behind a node in a soak: answers whose every byte the visitor can check, and uploads that it checks. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { WebSocketServer } from "ws";
import { differsAt, piecesOf } from "./pattern.ts";

export interface SoakService extends AsyncDisposable {
  readonly port: number;
  /** For a service that ends TLS itself: the certificate to show from now on. */
  useCertificate(pair: { cert: string; key: string }): void;
}

/** With `tls`, visitors' TLS ends here; it shows a certificate once it is given one. */
export async function startSoakService({ tls }: { tls: boolean }): Promise<SoakService> {
  const listener: RequestListener = (request, response) => {
    answer(request, response).catch(() => response.destroy());
  };
  const secured = tls ? createTlsServer(listener) : undefined;
  const server = secured ?? createServer(listener);
  const sockets = new WebSocketServer({ server, path: "/echo" });
  sockets.on("connection", (socket) => {
    socket.on("error", () => {}); // "close" follows
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    useCertificate: (pair) => secured?.setSecureContext(pair),
    [Symbol.asyncDispose]: async () => {
      sockets.close();
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://service");
  const number = (name: string): number => Number(url.searchParams.get(name));
  switch (url.pathname) {
    case "/download": {
      if (url.searchParams.get("framing") === "length") response.setHeader("content-length", number("bytes"));
      return pipeline(Readable.from(piecesOf(number("seed"), number("bytes"))), response);
    }
    case "/until-end": {
      // No length and no chunks: the end of the connection is the end of the answer.
      response.setHeader("connection", "close");
      response.removeHeader("transfer-encoding");
      return pipeline(Readable.from(piecesOf(number("seed"), number("bytes"))), response);
    }
    case "/upload":
      return void response.end(JSON.stringify(await readUpload(request, number("seed"))));
    case "/events":
      return sendEvents(response, number("count"), number("everyMs"));
    default:
      return void response.end(`${url.pathname} heard`);
  }
}

async function readUpload(request: IncomingMessage, seed: number): Promise<{ bytes: number; differsAt?: number }> {
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    const difference = differsAt(seed, bytes, chunk);
    if (difference !== undefined) return { bytes, differsAt: difference };
    bytes += chunk.length;
  }
  return { bytes };
}

function sendEvents(response: ServerResponse, count: number, everyMs: number): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(`id: ${sent}\ndata: event ${sent++}\n\n`);
    if (sent < count) return;
    clearInterval(timer);
    response.end("event: last\ndata: that is all\n\n");
  }, everyMs);
  response.once("close", () => clearInterval(timer));
}
