/**
 * The door of the gateway, one for each surface. Calls of the API are taken by hand; everything else is pages. The port
 * on this machine asks for no key, so it answers only who names it as this machine, and no web page from elsewhere:
 * a browser would otherwise lend its access to whatever page is open (DNS rebinding, cross-site requests).
 */
import type { Duplex } from "node:stream";
import type { IncomingMessage } from "node:http";
import type { Clock } from "../../shared/clock.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../server/terminator.ts";
import type { Access, Caller } from "./access/access.ts";
import { ApiError } from "./api/api-error.ts";
import type { Surface } from "./api/call.ts";
import { endpoints, type Endpoint } from "./api/endpoints.ts";
import type { Calls } from "./calls/calls.ts";
import { HttpAnswer } from "./calls/client-answer.ts";
import { answerError } from "./calls/error-response.ts";
import { corsHeaders, decideDoor, preflightHeaders } from "./door.ts";
import { createRequestId } from "./tracking/request-id.ts";

export interface FrontOptions {
  readonly surface: Surface;
  readonly calls: Calls;
  readonly access: Access;
  readonly clock: Clock;
  /** Answers what is no call; `caller` is whose it is, undefined outside the API. */
  readonly pages: (request: HttpRequest, response: HttpResponse, caller: Caller | undefined) => void;
}

const endpointAt = new Map<string, Endpoint>(endpoints.map((endpoint) => [endpoint.path, endpoint]));
const callMethods = "POST, OPTIONS";

export class Front implements HttpHandler {
  readonly #options: FrontOptions;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  request(request: HttpRequest, response: HttpResponse, { sourceAddress }: ProxyAddresses): void {
    const { surface, calls } = this.#options;
    const { headers, method } = request;
    const path = pathOf(request.url ?? "/");
    const isApi = path.startsWith("/v1/");
    const refusal = surface === "local" ? decideDoor(headers) : undefined;
    if (refusal) return refuse(response, refusal, [], isApi);
    const cors = isApi ? corsHeaders(surface, headers.origin) : noHeaders;
    const endpoint = endpointAt.get(path);
    if (isApi && method === "OPTIONS") return void response.writeHead(204, preflightHeaders(cors, headers)).end();
    if (!endpoint || method !== "POST") {
      const known = isApi ? [...cors, "x-request-id", createRequestId(this.#options.clock.now())] : cors;
      if (!endpoint) return this.#showPage(request, response, known, isApi ? sourceAddress : undefined);
      const message = `${path} takes POST, not ${method}.`;
      return refuse(response, new ApiError("method_not_allowed", message), [...known, "allow", callMethods], true);
    }
    const client = new HttpAnswer(response);
    void calls.handle({ endpoint, surface, request, client, from: sourceAddress, headers: cors });
  }

  /** Whatever is under /v1 asks for the same key as a call; `client` is then whose address it is. */
  #showPage(request: HttpRequest, response: HttpResponse, says: readonly string[], client: string | undefined): void {
    const { surface, access, pages } = this.#options;
    let caller: Caller | undefined;
    try {
      if (client !== undefined) caller = access.authenticate(request.headers, surface, client);
    } catch (error) {
      if (error instanceof ApiError) return refuse(response, error, says, true);
      throw error;
    }
    for (let at = 0; at < says.length; at += 2) response.setHeader(says[at]!, says[at + 1]!);
    pages(request, response, caller);
  }

  upgrade(_request: IncomingMessage, socket: Duplex): void {
    socket.end("HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  }
}

const noHeaders: readonly string[] = [];

/** The path of a request target; one that is a whole URL names it too (RFC 9112 §3.2.2). */
function pathOf(target: string): string {
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  return path.startsWith("/") ? path : path.replace(/^https?:\/\/[^/]*/i, "");
}

function refuse(response: HttpResponse, error: ApiError, headers: readonly string[], isApi: boolean): void {
  if (isApi) return answerError(new HttpAnswer(response), error, headers);
  response.writeHead(error.status, { "content-type": "text/plain; charset=utf-8" }).end(`${error.message}\n`);
}
