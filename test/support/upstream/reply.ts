/** What a behaviour writes its answer with: bytes as they are, so that every bad ending is exact. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { reset } from "../../../shared/nodejs/reset.ts";

export type Headers = Readonly<Record<string, string>>;

/** Ends a behaviour whose client has gone. */
export class ClientLeft extends Error {}

/** Long enough for what was written to be read before the connection breaks. */
const settleMs = 20;

export class Reply {
  /** Whether the connection can serve another request. */
  keepsAlive = true;
  readonly #socket: Socket;
  /** Aborted when the client goes, or the stand-in stops. */
  readonly #gone: AbortSignal;

  constructor(socket: Socket, gone: AbortSignal) {
    this.#socket = socket;
    this.#gone = gone;
  }

  /** The status line and headers, and the empty line after them. */
  head(status: number, headers: Headers): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.raw(`HTTP/1.1 ${status} ${reasons[status] ?? "Status"}\r\n${lines.join("")}\r\n`);
  }

  /** A whole answer. */
  send(status: number, body: string | Buffer, headers: Headers = {}): void {
    const bytes = Buffer.from(body);
    this.head(status, { "content-type": "application/json", "content-length": String(bytes.length), ...headers });
    this.raw(bytes);
  }

  /** The head of a stream of events. */
  openStream(headers: Headers = {}): void {
    this.head(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "transfer-encoding": "chunked",
      ...headers,
    });
  }

  /** One chunk of the chunked coding, written by itself. */
  chunk(data: string | Buffer): void {
    const bytes = Buffer.from(data);
    this.raw(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]));
  }

  /** The chunk that says that there is no other one. */
  lastChunk(): void {
    this.raw("0\r\n\r\n");
  }

  raw(bytes: string | Buffer): void {
    if (!this.#gone.aborted) this.#socket.write(bytes);
  }

  /** Throws {@link ClientLeft} as soon as the client goes. */
  async wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#gone }).catch(() => {
      throw new ClientLeft("The client left.");
    });
  }

  /** Until the client goes. */
  async silence(): Promise<never> {
    while (true) await this.wait(60_000);
  }

  /** Waits until the kernel has taken what was written. */
  async drain(): Promise<void> {
    if (!this.#socket.writableNeedDrain) return;
    await once(this.#socket, "drain", { signal: this.#gone }).catch(() => {
      throw new ClientLeft("The client left.");
    });
  }

  /** An end of the connection, as of a process that exits. */
  async close(): Promise<void> {
    this.keepsAlive = false;
    await this.wait(settleMs);
    this.#socket.end();
  }

  /** A reset, as of a kernel that knows the connection no more. */
  async reset(): Promise<void> {
    this.keepsAlive = false;
    await this.wait(settleMs);
    reset(this.#socket);
  }
}

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};
