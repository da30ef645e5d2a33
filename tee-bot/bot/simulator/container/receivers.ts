/**
 * `ws://…/v1/receive/{number}`: everyone who is connected gets the `params` of each line of that account. Nothing waits
 * for a reader: what comes while one has not read the last is not for him.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";

/** `pingPeriod` in api.go. */
const pingMs = 54_000;
/** `SetReadLimit` in api.go. */
const maxReadBytes = 512;

export class Receivers {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: maxReadBytes });
  readonly #sockets = new Map<WebSocket, string>();
  readonly #pings: NodeJS.Timeout;

  constructor() {
    this.#pings = setInterval(() => {
      for (const socket of this.#sockets.keys()) socket.ping();
    }, pingMs).unref();
  }

  accept(number: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#sockets.set(webSocket, number);
      webSocket.on("error", () => {});
      webSocket.once("close", () => this.#sockets.delete(webSocket));
    });
  }

  /** Whether anybody took it. */
  offer(account: string, params: string): boolean {
    let taken = false;
    for (const [socket, number] of this.#sockets) {
      if (number !== account || socket.readyState !== socket.OPEN || socket.bufferedAmount > 0) continue;
      socket.send(params, () => {});
      taken = true;
    }
    return taken;
  }

  /** As when the process dies. */
  end(): void {
    clearInterval(this.#pings);
    for (const socket of this.#sockets.keys()) socket.terminate();
  }
}
