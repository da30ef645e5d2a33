/** A stand-in for a server of models that cannot run here: real HTTP on loopback, with the faults that such servers have. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** `garbage`: no JSON. `endless`: far more than anybody lists. `stall`: connected, and silent. `odd`: JSON of another kind. */
export type Fault = "garbage" | "html" | "error" | "endless" | "stall" | "odd" | "refused" | "cut" | "moved";

/** Answers of a page, by `METHOD /path` without the query. */
export type Pages = Record<string, (request: IncomingMessage, url: URL) => unknown>;

export interface StandInOptions {
  pages: Pages;
  /** What a path that is not there is answered with. */
  absent?: (response: ServerResponse, method: string, path: string) => void;
  /** Sent with answers to calls. */
  headers?: Record<string, string>;
}

export class ModelServer implements AsyncDisposable {
  readonly #options: StandInOptions;
  #server: Server | undefined;
  #port = 0;
  /** What is wrong with it, from now on. */
  fault: Fault | undefined;
  /** `METHOD /path?query` of what was asked, and its headers. */
  readonly requests: { line: string; headers: IncomingMessage["headers"] }[] = [];

  constructor(options: StandInOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; after a {@link stop} at the same port. */
  async start(): Promise<this> {
    const server = createServer((request, response) => this.#answer(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** As if its process were killed. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = "GET", url: target = "/", headers } = request;
    this.requests.push({ line: `${method} ${target}`, headers });
    request.resume();
    if (this.fault !== undefined) return answerFault(response, this.fault);
    const url = new URL(target, this.url);
    const page = this.#options.pages[`${method} ${url.pathname}`];
    if (page) return sendJson(response, 200, page(request, url), this.#options.headers);
    if (this.#options.absent) return this.#options.absent(response, method, url.pathname);
    sendJson(response, 404, { error: { message: "not found" } });
  }
}

/** What every one of them answers to a chat that is not a stream. */
export const chatAnswer = {
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
};

export function sendJson(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

function answerFault(response: ServerResponse, fault: Fault): void {
  switch (fault) {
    case "garbage":
      response.end('{"models": [{"na');
      return;
    case "html":
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Sign in</title>");
      return;
    case "error":
      return sendJson(response, 500, { error: "secret-in-the-answer" });
    case "refused":
      return sendJson(response, 401, { error: { message: "secret-in-the-answer" } });
    case "odd":
      return sendJson(response, 200, { hello: ["world"] });
    case "moved":
      response.writeHead(302, { location: "https://elsewhere.test/" }).end();
      return;
    case "cut":
      response.writeHead(200, { "content-length": 1_000 }).write("{");
      setTimeout(() => response.destroy(), 10);
      return;
    case "endless":
      return sendEndlessly(response);
    case "stall":
  }
}

function sendEndlessly(response: ServerResponse): void {
  const block = Buffer.alloc(256 * 1024, " ");
  const send = (): void => {
    while (!response.destroyed && response.write(block)) {
      // until the socket is full
    }
  };
  response.on("drain", send);
  send();
}
