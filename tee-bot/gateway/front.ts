/**
 * The door of the gateway, one for each surface. Calls of the API are taken by hand; everything else is pages. The port
 * on this machine asks for no key, so it answers only who names it as this machine, and no web page from elsewhere:
 * a browser would otherwise lend its access to whatever page is open (DNS rebinding, cross-site requests).
 */
import type { Duplex } from "node:stream";
import type { IncomingMessage } from "node:http";
import { aciPath } from "../../shared/attestation/aci-statement.ts";
import type { Clock } from "../../shared/clock.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../server/terminator.ts";
import type { Access, Caller } from "./access/access.ts";
import { ApiError } from "./api/api-error.ts";
import type { Call, Surface } from "./api/call.ts";
import { endpoints, type Endpoint } from "./api/endpoints.ts";
import type { Calls } from "./calls/calls.ts";
import { HttpAnswer, type ClientAnswer } from "./calls/answers/client-answer.ts";
import { answerError } from "./calls/answers/error-response.ts";
import { corsHeaders, decideDoor, preflightHeaders } from "./door.ts";
import { ollamaEndpoints, ollamaPrefix, type OllamaEndpoint } from "./ollama/endpoints.ts";
import { OllamaAnswer } from "./ollama/ollama-answer.ts";
import { OllamaCall, type KnowsModel } from "./ollama/ollama-call.ts";
import { createRequestId } from "./tracking/request-id.ts";

/** Answers a request for the attestation report; `address` is the client's. */
export type ShowReport = (request: HttpRequest, response: HttpResponse, address: string) => void;

export interface FrontOptions {
  readonly surface: Surface;
  readonly calls: Calls;
  readonly access: Access;
  readonly clock: Clock;
  readonly knows: KnowsModel;
  readonly showReport: ShowReport | undefined;
  /** Answers what is no call; `caller` is whose it is, undefined outside the API. */
  readonly pages: (request: HttpRequest, response: HttpResponse, caller: Caller | undefined) => void;
}

const endpointAt = new Map<string, Endpoint>(endpoints.map((endpoint) => [endpoint.path, endpoint]));
const ollamaAt = new Map<string, OllamaEndpoint>(ollamaEndpoints.map((one) => [one.native.path, one]));
const callMethods = "POST, OPTIONS";

export class Front implements HttpHandler {
  readonly #options: FrontOptions;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  request(request: HttpRequest, response: HttpResponse, { sourceAddress }: ProxyAddresses): void {
    const { surface, calls, showReport } = this.#options;
    const { headers, method } = request;
    const path = pathOf(request.url ?? "/");
    const form = formOf(path);
    const refusal = surface === "local" ? decideDoor(headers) : undefined;
    if (refusal) return refuse(response, refusal, [], form);
    if (path === aciPath && showReport) return showReport(request, response, sourceAddress);
    const cors = form ? corsHeaders(surface, headers.origin) : noHeaders;
    const endpoint = endpointAt.get(path);
    const ollama = endpoint ? undefined : ollamaAt.get(path);
    if (form && method === "OPTIONS") return void response.writeHead(204, preflightHeaders(cors, headers)).end();
    const isCall = endpoint !== undefined || ollama !== undefined;
    if (!isCall || method !== "POST") {
      const known = form ? [...cors, "x-request-id", createRequestId(this.#options.clock.now())] : cors;
      if (!isCall) return this.#showPage(request, response, known, form, sourceAddress);
      const message = `${path} takes POST, not ${method}.`;
      return refuse(response, new ApiError("method_not_allowed", message), [...known, "allow", callMethods], form);
    }
    const client = new HttpAnswer(response);
    const from = sourceAddress;
    if (endpoint) return void calls.handle({ endpoint, surface, request, client, from, headers: cors });
    if (ollama) this.#callAsOllama(ollama, request, client, from, cors);
  }

  #callAsOllama(
    endpoint: OllamaEndpoint,
    request: HttpRequest,
    client: ClientAnswer,
    from: string,
    headers: readonly string[],
  ): void {
    const { surface, calls, knows } = this.#options;
    const own = new OllamaCall(endpoint, client, knows);
    const translate = (call: Call): Call => own.translate(call);
    void calls.handle({ endpoint: endpoint.native, surface, request, client: own.client, from, headers, translate });
  }

  /** Whatever is under /v1 and /api asks for the same key as a call. */
  #showPage(request: HttpRequest, response: HttpResponse, says: readonly string[], form: Form, client: string): void {
    const { surface, access, pages } = this.#options;
    let caller: Caller | undefined;
    try {
      if (form) caller = access.authenticate(request.headers, surface, client);
    } catch (error) {
      if (error instanceof ApiError) return refuse(response, error, says, form);
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

/** In whose form errors are said; undefined: it is no API. */
type Form = "openai" | "ollama" | undefined;

function formOf(path: string): Form {
  if (path.startsWith("/v1/")) return "openai";
  return path.startsWith(ollamaPrefix) ? "ollama" : undefined;
}

function refuse(response: HttpResponse, error: ApiError, headers: readonly string[], form: Form): void {
  const client = new HttpAnswer(response);
  if (form) return answerError(form === "ollama" ? new OllamaAnswer(client) : client, error, headers);
  response.writeHead(error.status, { "content-type": "text/plain; charset=utf-8" }).end(`${error.message}\n`);
}
