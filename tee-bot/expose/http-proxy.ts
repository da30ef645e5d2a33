/**
 * Passes requests to a local HTTP service and its answers back, chunk by chunk as they come (an SSE event waits for
 * nothing). An answer that breaks off upstream breaks off for the visitor too: it never looks complete. A visitor
 * who leaves ends the request upstream.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { Pool, type Dispatcher } from "undici";
import type { Log } from "../../shared/log.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../server/terminator.ts";
import { connectorOf } from "../upstream/connector.ts";
import { AnswerRelay, refuse } from "./answer-relay.ts";
import { requestHeaders } from "./forwarded.ts";
import { parseRequestTarget } from "./request-target.ts";
import { hasBody, readUpload } from "./upload.ts";
import { passUpgrade } from "./upgrade.ts";

const connectTimeoutMs = 5_000;
const maxUpstreamConnections = 1_024;
const maxAnswerHeaderBytes = 64 * 1024;

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
      connect: connectorOf({ timeout: connectTimeoutMs }),
      headersTimeout: 0, // a model may think for long; the relay ends connections on which nothing moves
      bodyTimeout: 0,
      maxHeaderSize: maxAnswerHeaderBytes,
      pipelining: 1,
    });
  }

  request(request: HttpRequest, response: HttpResponse, client: ProxyAddresses): void {
    const target = parseRequestTarget(request.url ?? "/");
    if (!target) return refuse(response, "bad-request", "The request asks for neither a path nor a URL.");
    const coding = request.headers["transfer-encoding"];
    if (coding !== undefined && coding.toLowerCase() !== "chunked")
      return refuse(response, "bad-request", "The only transfer coding taken is chunked.");
    const options: Dispatcher.DispatchOptions = {
      method: request.method as Dispatcher.HttpMethod,
      path: target.path,
      headers: requestHeaders(request.headers, client.sourceAddress, target.host),
      // undici takes any async iterable, which its types do not say (8.12).
      body: hasBody(request) ? (readUpload(request) as unknown as Readable) : null,
    };
    this.#pool.dispatch(options, new AnswerRelay(request, response, this.#log));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, client: ProxyAddresses): void {
    passUpgrade({ request, socket, head, client: client.sourceAddress }, this.#origin, this.#log);
  }

  /** Takes no further request; resolves when those under way are done. */
  async retire(): Promise<void> {
    await this.#pool.close();
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
