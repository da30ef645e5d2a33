/**
 * The one port of the simulator: the page, the people's API and the REST API, the last with its WebSockets. The real server lets
 * anybody in; here a page that a browser got elsewhere is refused, and whoever comes by another name than this machine's.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { decideDoor } from "../../gateway/door.ts";
import { http1Limits } from "../../server/http1-limits.ts";
import type { Mode } from "./container/container.ts";
import type { Host } from "./container/host.ts";
import { findPageFile } from "./page/page.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

export interface SimulatorServerOptions {
  readonly people: Listener;
  readonly rest: Listener;
  readonly host: Host;
  readonly mode: Mode;
}

const requestTimeoutMs = 60_000;
const receivePath = /^\/v1\/receive\/(\+|%2B)(\d+)(\?.*)?$/i;
const peoplePath = /^\/messages(?:[/?]|$)/;

export function createSimulatorServer({ people, rest, host, mode }: SimulatorServerOptions): Server {
  const server = createServer({ ...http1Limits(), requestTimeout: requestTimeoutMs }, (request, response) => {
    if (!letIn(request, response)) return;
    const page = request.method === "GET" ? findPageFile(request.url ?? "") : undefined;
    if (page) response.writeHead(200, page.headers).end(page.body);
    else if (peoplePath.test(request.url ?? "")) void people(request, response);
    else if (host.admit(request.socket)) void rest(request, response);
  });
  server.on("upgrade", (request, socket: Duplex, head) => {
    const digits = receivePath.exec(request.url ?? "")?.[2];
    if (digits === undefined || mode === "normal" || decideDoor(request.headers)) return socket.destroy();
    host.accept(`+${digits}`, request, socket, head);
  });
  return server;
}

function letIn(request: IncomingMessage, response: ServerResponse): boolean {
  const refused = decideDoor(request.headers);
  if (!refused) return true;
  request.resume();
  response.writeHead(refused.status, { "content-type": "text/plain; charset=utf-8" }).end(`${refused.message}\n`);
  return false;
}
