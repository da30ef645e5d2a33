/**
 * Passes requests to a local HTTP service and its answers back, chunk by chunk as they come (an SSE event waits for
 * nothing). An answer that breaks off upstream breaks off for the visitor too: it never looks complete. A visitor
 * who leaves ends the request upstream.
 */
import type { IncomingMessage } from "node:http";
import { constants } from "node:http2";
import type { Duplex } from "node:stream";
import { Pool, type Dispatcher } from "undici";
import { errorCodes, errorText, type ErrorCode } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { problemContentType, problemOf } from "../../shared/problem.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../server/terminator.ts";
import { requestHeaders, responseHeaders } from "./forwarded.ts";
import { passUpgrade } from "./upgrade.ts";

const connectTimeoutMs = 5_000;
const maxUpstreamConnections = 1_024;

export class HttpProxy implements HttpHandler {
  readonly #origin: URL;
  readonly #log: Log;
  readonly #pool: Pool;

  /** `origin` is `http://host:port` or `https://host:port`; a certificate of the latter is checked as usual. */
  constructor({ origin, log }: { origin: string; log: Log }) {
    this.#origin = new URL(origin);
    this.#log = log;
    this.#pool = new Pool(origin, {
      connections: maxUpstreamConnections,
      connect: { timeout: connectTimeoutMs },
      headersTimeout: 0, // a model may think for long; the relay ends connections on which nothing moves
      bodyTimeout: 0,
      pipelining: 1,
    });
  }

  request(request: HttpRequest, response: HttpResponse, client: ProxyAddresses): void {
    const options: Dispatcher.DispatchOptions = {
      method: request.method as Dispatcher.HttpMethod,
      path: request.url ?? "/",
      headers: requestHeaders(request.headers, client.sourceAddress),
      body: hasBody(request) ? request : null,
    };
    this.#pool.dispatch(options, new AnswerRelay(request, response, this.#log));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, client: ProxyAddresses): void {
    passUpgrade({ request, socket, head, client: client.sourceAddress }, this.#origin, this.#log);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Copies one answer to the visitor, at the visitor's pace. */
class AnswerRelay implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #response: HttpResponse;
  readonly #log: Log;

  constructor(request: HttpRequest, response: HttpResponse, log: Log) {
    this.#request = request;
    this.#response = response;
    this.#log = log;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.once("close", () => {
      if (!this.#response.writableEnded) controller.abort(new Error("the visitor left"));
    });
    this.#response.on("drain", () => controller.resume());
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return; // interim answers; 100 was given by our own server
    this.#response.writeHead(status, responseHeaders(headers));
    // Headers alone are sent at once: an event stream may be quiet for long after them.
    if (!this.#response.stream) this.#response.flushHeaders(); // HTTP/2 has sent them
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.destroyed) return;
    this.#log.info("upstream.failed", { error: errorText(error) });
    if (this.#response.headersSent) {
      breakOff(this.#response);
      return;
    }
    const code: ErrorCode =
      "code" in error && error.code === "UND_ERR_CONNECT_TIMEOUT" ? "upstream-timeout" : "upstream-unavailable";
    const detail = "The service behind this name cannot be reached from the node. Is it running?";
    this.#response.writeHead(errorCodes[code][0], { "content-type": problemContentType, "cache-control": "no-store" });
    this.#response.end(JSON.stringify(problemOf(code, detail)));
    this.#request.resume(); // what is left of the request body is of no use to anyone
  }
}

function hasBody(request: HttpRequest): boolean {
  if (request.stream) return !request.stream.endAfterHeaders;
  return request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
}

/** Ends an answer so that nobody can take it for complete: a reset of the stream, or of the connection. */
function breakOff(response: HttpResponse): void {
  if (response.stream) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}
