/**
 * A WebSocket on its way to the exposed service: the request is repeated there, and once the service has agreed
 * (101) both connections are joined as bytes. Any other answer is passed on, and the visitor's connection closed:
 * nothing that follows on it would be looked at.
 */
import { request as requestHttp, STATUS_CODES, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import type { Duplex } from "node:stream";
import type { Log } from "../../shared/log.ts";
import { requestHeaders } from "./forwarded.ts";

const connectTimeoutMs = 5_000;

export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  /** Bytes that came right behind the request. */
  head: Buffer;
  /** The visitor's address. */
  client: string;
}

export function passUpgrade({ request, socket, head, client }: Upgrade, origin: URL, log: Log): void {
  const headers = requestHeaders(request.headers, client);
  headers.push("connection", "upgrade", "upgrade", request.headers.upgrade ?? "websocket");
  const send = origin.protocol === "https:" ? requestHttps : requestHttp;
  const upstream = send(new URL(request.url ?? "/", origin), {
    method: request.method ?? "GET",
    headers,
    agent: false,
    timeout: connectTimeoutMs,
  });
  upstream.once("timeout", () => upstream.destroy(new Error("it took too long to answer")));
  upstream.once("error", (error) => {
    log.info("upstream.failed", { error: error.message });
    if (socket.writable) socket.end(responseHead(502, ["connection", "close", "content-length", "0"]));
  });
  upstream.once("response", (response) => {
    socket.write(responseHead(response.statusCode ?? 502, withoutConnection(response.rawHeaders)));
    response.pipe(socket);
  });
  upstream.once("upgrade", (response, service, serviceHead) => {
    service.setTimeout(0);
    socket.write(responseHead(101, response.rawHeaders));
    socket.write(serviceHead);
    service.write(head);
    service.on("error", () => socket.destroy());
    service.once("close", () => socket.end());
    socket.once("close", () => service.destroy());
    socket.pipe(service).pipe(socket);
  });
  socket.on("error", () => upstream.destroy());
  socket.once("close", () => upstream.destroy());
  upstream.end();
}

function responseHead(status: number, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${text}\r\n`;
}

/** The body arrives decoded and the connection ends with it, so its end is the body's. */
function withoutConnection(rawHeaders: readonly string[]): string[] {
  const kept = ["connection", "close"];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (!/^(connection|keep-alive|transfer-encoding)$/i.test(name)) kept.push(name, rawHeaders[at + 1] ?? "");
  }
  return kept;
}
