/** An HTTP server on loopback whose requests can be made to fail (faults.ts). The base of every stand-in here. */
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Faults, type Answer, type SeenRequest } from "./faults.ts";
import { reset } from "../../shared/nodejs/reset.ts";

export interface Exchange {
  readonly method: string;
  /** With the query. */
  readonly target: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface FaultyServerOptions {
  handle: (exchange: Exchange) => Promise<Answer> | Answer;
  /** The kind of resource, by which faults can be addressed. */
  kindOf?: (exchange: Exchange) => string | undefined;
  tls?: { readonly key: string; readonly cert: string };
  port?: number;
}

export interface FaultyServer extends AsyncDisposable {
  readonly port: number;
  readonly faults: Faults;
}

const maxBodyBytes = 1 << 20;

export async function startFaultyServer(options: FaultyServerOptions): Promise<FaultyServer> {
  const faults = new Faults();
  const closing = new AbortController();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response, options, faults, closing.signal).catch((error: unknown) => {
      if (closing.signal.aborted || response.destroyed || response.headersSent) return response.destroy();
      response.writeHead(500, { "content-type": "text/plain" });
      return response.end(`The stand-in failed: ${String(error)}\n`);
    });
  };
  const server: Server = options.tls ? createTlsServer(options.tls, onRequest) : createServer(onRequest);
  server.on("clientError", (_error, socket) => socket.destroy());
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    faults,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      closing.abort();
      faults.clear();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { handle, kindOf }: FaultyServerOptions,
  faults: Faults,
  closing: AbortSignal,
): Promise<void> {
  response.on("error", () => {});
  const body = await readBody(request);
  if (body === undefined) return send(response, { status: 413, headers: {}, body: "too large\n" });
  const { method = "GET", url: target = "/", headers } = request;
  const { pathname: path, search: query } = new URL(target, "http://stand-in");
  const exchange: Exchange = { method, target, path, headers, body };
  const seen: SeenRequest = { method, path, query, kind: kindOf?.(exchange), at: Date.now() };
  faults.seen.push(seen);
  const answer = (value: Answer): void => {
    seen.status = value.status;
    send(response, value);
  };

  await faults.pass(seen, "before");
  const fault = faults.take(seen);
  if (fault?.kind === "answer" && !fault.applied) return answer(fault.answer);
  if (fault?.kind === "delay") await sleep(fault.ms, undefined, { signal: closing });
  if (fault?.kind === "silence" && fault.when === "before") return;
  if (fault?.kind === "drop" && fault.when === "before") return reset(request.socket);

  const given = await handle(exchange);
  await faults.pass(seen, "after");
  switch (fault?.kind) {
    case "answer":
      return answer(fault.answer);
    case "silence":
      return;
    case "drop":
      return reset(request.socket);
    case "truncate":
      return truncate(response, given);
    case "rewrite":
      return answer(fault.rewrite(given));
    case "delay":
    case undefined:
      return answer(given);
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersOf({ headers, body }: Answer): Record<string, string | string[]> {
  const given = Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]);
  return { ...Object.fromEntries(given), "content-length": String(Buffer.byteLength(body)) };
}

function send(response: ServerResponse, answer: Answer): void {
  const headers = headersOf(answer);
  if (answer.status === 204) delete headers["content-length"];
  response.writeHead(answer.status, headers);
  response.end(answer.body);
}

function truncate(response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, headersOf(answer));
  response.write(body.subarray(0, body.length >> 1), () => response.destroy());
}
