import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { reset } from "../../shared/nodejs/reset.ts";

export interface PoolConnectionEvents {
  /** The first bytes of the node's answer have come; the socket is the caller's, without any listener of this class. */
  onAnswer: (connection: PoolConnection) => void;
  /** It closed, or spoke before it was claimed. The socket is destroyed. */
  onBroken: (connection: PoolConnection) => void;
}

/** One connection to the node, from when it is there until the node has answered its visitor over it. */
export class PoolConnection {
  readonly socket: TunnelSocket;
  readonly #events: PoolConnectionEvents;
  #claimed = false;
  #done = false;

  constructor(socket: TunnelSocket, events: PoolConnectionEvents) {
    this.socket = socket;
    this.#events = events;
    socket.on("readable", this.#onReadable);
    socket.on("close", this.#onBroken);
  }

  /** Sends the visitor's address and first bytes. */
  claim(header: Uint8Array, firstBytes: Uint8Array): void {
    this.#claimed = true;
    this.socket.write(Buffer.concat([header, firstBytes]));
  }

  destroy(): void {
    this.#release();
    reset(this.socket);
  }

  // An end is readable too, with nothing to read.
  readonly #onReadable = (): void => {
    if (!this.#claimed || this.socket.readableLength === 0 || this.socket.destroyed) return this.#onBroken();
    this.#release();
    this.#events.onAnswer(this);
  };

  readonly #onBroken = (): void => {
    if (this.#done) return;
    this.destroy();
    this.#events.onBroken(this);
  };

  #release(): void {
    this.#done = true;
    this.socket.removeListener("readable", this.#onReadable);
    this.socket.removeListener("close", this.#onBroken);
  }
}
