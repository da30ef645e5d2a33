/**
 * Where the REST server posts what it receives. It posts once, reads nothing else until it is answered, and takes only 200
 * and 201 for an answer: so each event is stored first, 200 follows at once, and all work comes afterwards.
 */
import type { IncomingMessage } from "node:http";
import { constants } from "node:http2";
import type { Duplex } from "node:stream";
import { AppError, errorCodes } from "../../../shared/errors.ts";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { problemContentType, problemOf } from "../../../shared/problem.ts";
import type { Sensitive } from "../../../shared/sensitive.ts";
import type { ProxyAddresses } from "../../../shared/tunnel/proxy-header.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../server/terminator.ts";
import { parseNotification } from "../events/envelope.ts";
import { isAuthorized } from "./credential.ts";
import { hookPath, isForHook } from "./hook-path.ts";
import type { Intake, Taken } from "./intake.ts";
import { readBody } from "./read-body.ts";
import { WrongTries } from "./wrong-tries.ts";

export interface HookOptions {
  intake: Intake;
  secret: Sensitive<string>;
  /** Anybody can reach it: wrong passwords are counted for each address. */
  isPublic: boolean;
  clock: Clock;
  log: Log;
}

/** The longest text is 64 KiB, which JSON makes some more of. */
export const maxHookBytes = 1024 * 1024;
export const hookBodyMs = 10_000;

export class Hook implements HttpHandler {
  readonly #options: HookOptions;
  readonly #wrong: WrongTries;

  constructor(options: HookOptions) {
    this.#options = options;
    this.#wrong = new WrongTries(options.clock);
  }

  request(request: HttpRequest, response: HttpResponse, { sourceAddress }: ProxyAddresses): void {
    void this.#answer(request, response, sourceAddress);
  }

  upgrade(_request: IncomingMessage, socket: Duplex): void {
    socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  }

  async #answer(request: HttpRequest, response: HttpResponse, address: string): Promise<void> {
    const startedAt = performance.now();
    try {
      const taken = await this.#take(request, address);
      response.writeHead(200).end();
      this.#options.log.debug("hook.answered", { taken, ms: Math.round(performance.now() - startedAt) });
    } catch (error) {
      this.#refuse(request, response, error);
    }
  }

  async #take(request: HttpRequest, address: string): Promise<Taken> {
    this.#authorize(request, address);
    const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
    if (type !== "application/json")
      throw new AppError("unsupported-media-type", "A webhook has Content-Type: application/json.");
    const body = await readBody(request, { maxBytes: maxHookBytes, withinMs: hookBodyMs });
    const params = parseNotification(parseJson(body));
    const taken = params === undefined ? "malformed" : this.#options.intake.take(params, body.length);
    if (taken === "malformed") throw new AppError("bad-request", "This is no notification of signal-cli.");
    if (taken === "lost") throw new AppError("overloaded", "There is no room for this message, which is lost.");
    return taken;
  }

  #authorize({ url = "", method, headers }: HttpRequest, address: string): void {
    if (!isForHook(url)) throw new AppError("not-found", `There is only ${hookPath} here.`);
    if (method !== "POST") throw new AppError("method-not-allowed", "Messages are posted here.");
    const { isPublic, secret, log } = this.#options;
    const isOver = this.#wrong.isOver(address);
    if (isPublic && isOver)
      throw new AppError("too-many-requests", "Too many wrong passwords came from this address. Wait a minute.");
    if (isAuthorized(headers.authorization, secret)) return;
    this.#wrong.count(address);
    if (!isOver) log.warn("hook.refused", { why: "the password is missing or wrong", isPublic });
    throw new AppError("signature-missing", "The address of the webhook has its user and password with it.");
  }

  #refuse(request: HttpRequest, response: HttpResponse, error: unknown): void {
    if (response.headersSent || response.destroyed) return;
    const { code, detail } = error instanceof AppError ? error : new AppError("internal", "The cause is not known.");
    const [status] = errorCodes[code];
    const challenge = status === 401 ? { "www-authenticate": 'Basic realm="postern"' } : {};
    const isHttp1 = request.httpVersionMajor === 1;
    // What is left of the body is of no use: the connection is ended, or its stream.
    response.writeHead(status, {
      "content-type": problemContentType,
      ...challenge,
      ...(isHttp1 && { connection: "close" }),
    });
    response.end(JSON.stringify(problemOf(code, detail)), () => request.stream?.close(constants.NGHTTP2_NO_ERROR));
    request.resume();
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new AppError("bad-request", "This is no JSON.");
  }
}
