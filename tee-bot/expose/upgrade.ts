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
import { parseRequestTarget } from "./request-target.ts";

const answerTimeoutMs = 5_000;

export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  /** Bytes that came right behind the request. */
  head: Buffer;
  /** The visitor's address. */
  client: string;
}

export function passUpgrade({ request, socket, head, client }: Upgrade, origin: URL, log: Log): void {
  socket.on("error", () => {}); // followed by "close"
  const target = parseRequestTarget(request.url ?? "/");
  if (!target) return void socket.end(responseHead(400, ["connection", "close", "content-length", "0"]));

  const { "content-length": _, ...headers } = request.headers; // a WebSocket's request has no body
  const secure = origin.protocol === "https:";
  const upstream = (secure ? requestHttps : requestHttp)({
    host: origin.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: origin.port || (secure ? 443 : 80),
    path: target.path,
    headers: [
      ...requestHeaders(headers, client, target.host),
      "connection",
      "upgrade",
      "upgrade",
      request.headers.upgrade ?? "websocket",
    ],
    agent: false,
    timeout: answerTimeoutMs,
  });
  upstream.once("timeout", () => upstream.destroy(new Error("it took too long to answer")));
  upstream.on("error", (error) => {
    log.info("upstream.failed", { error: error.message });
    if (socket.writable) socket.end(responseHead(502, ["connection", "close", "content-length", "0"]));
  });
  upstream.once("response", (response) => {
    upstream.setTimeout(0);
    socket.write(responseHead(response.statusCode ?? 502, withoutConnection(response.rawHeaders)), "latin1");
    response.once("error", () => socket.destroy()); // broken off: not to be taken for the end
    response.pipe(socket);
  });
  upstream.once("upgrade", (response, service, serviceHead) => {
    service.setTimeout(0);
    socket.write(responseHead(101, response.rawHeaders), "latin1");
    socket.write(serviceHead);
    service.write(head);
    service.on("error", () => socket.destroy());
    service.once("close", () => socket.end());
    socket.once("close", () => service.destroy());
    socket.pipe(service).pipe(socket);
  });
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
