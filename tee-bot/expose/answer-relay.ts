import { constants } from "node:http2";
import type { Dispatcher } from "undici";
import { errorCodes, errorText, type ErrorCode } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { problemContentType, problemOf } from "../../shared/problem.ts";
import type { HttpRequest, HttpResponse } from "../server/terminator.ts";
import { responseHeaders } from "./forwarded.ts";

/** Copies one answer of the service to the visitor, at the visitor's pace. */
export class AnswerRelay implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #response: HttpResponse;
  readonly #log: Log;
  readonly #version: 1 | 2;
  #controller: Dispatcher.DispatchController | undefined;
  /** Of an answer that says its length: bytes that have not come yet. */
  #missing = Number.POSITIVE_INFINITY;
  #visitorLeft = false;

  constructor(request: HttpRequest, response: HttpResponse, log: Log) {
    this.#request = request;
    this.#response = response;
    this.#log = log;
    this.#version = response.stream ? 2 : 1;
    response.once("close", () => {
      if (response.writableEnded) return;
      this.#visitorLeft = true;
      this.#controller?.abort(new Error("the visitor left"));
    });
    response.on("drain", () => this.#controller?.resume());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#visitorLeft) controller.abort(new Error("the visitor left")); // while the request waited for its turn
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return; // interim answers; 100 was given by our own server
    this.#missing = Number(headers["content-length"] ?? Number.POSITIVE_INFINITY);
    this.#response.writeHead(status, responseHeaders(headers, this.#version));
    // Headers alone are sent at once, as those of HTTP/2 are: an event stream may be quiet for long after them. Not by
    // flushHeaders(), which writes them as UTF-8 (Node 24): a header is bytes.
    if (this.#version === 1) this.#response.write("", "latin1");
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#missing -= chunk.length;
    // Nothing is read after the last chunk, so there is nothing to put off; and undici 8.12, paused there, would take the
    // end of the connection, which a service may close once it has sent everything, for a lost answer.
    if (!this.#response.write(chunk) && this.#missing > 0) controller.pause();
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#visitorLeft) return;
    this.#log.info("upstream.failed", { error: errorText(error) });
    if (this.#response.headersSent) return breakOff(this.#response);
    const code: ErrorCode =
      "code" in error && error.code === "UND_ERR_CONNECT_TIMEOUT" ? "upstream-timeout" : "upstream-unavailable";
    refuse(this.#response, code, "The service behind this name cannot be reached from the node. Is it running?");
    this.#request.resume(); // what is left of the request body is of no use to anyone
  }
}

/** Answers with a problem document of the node's own. */
export function refuse(response: HttpResponse, code: ErrorCode, detail: string): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name); // of an answer that could not be sent
  response.writeHead(errorCodes[code][0], { "content-type": problemContentType, "cache-control": "no-store" });
  response.end(JSON.stringify(problemOf(code, detail)));
}

/** Ends an answer so that nobody can take it for complete: a reset of the stream, or of the connection. */
function breakOff(response: HttpResponse): void {
  if (response.stream) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}
