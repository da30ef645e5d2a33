import { ignoreErrors } from "../../shared/nodejs/ignore-errors.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { parseProxyHeader, type ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import { reset } from "../../shared/nodejs/reset.ts";

export interface PoolConnectionEvents {
  /** The relay has begun its header and not finished it. */
  onClaimed: (connection: PoolConnection) => void;
  /** The relay has given it a visitor: the socket is the caller's, the visitor's bytes are back in it. */
  onVisitor: (connection: PoolConnection, addresses: ProxyAddresses) => void;
  /** It ended before a visitor came, with the reason when it was not the relay's wish. The socket is destroyed. */
  onClosed: (connection: PoolConnection, reason: string | undefined) => void;
}

/** One connection to the relay, until the relay gives it a visitor. */
export class PoolConnection {
  readonly socket: TunnelSocket;
  readonly #events: PoolConnectionEvents;
  #held: Buffer = Buffer.alloc(0);
  #done = false;

  constructor(socket: TunnelSocket, events: PoolConnectionEvents) {
    this.socket = socket;
    this.#events = events;
    ignoreErrors(this.socket);
    this.socket.on("readable", this.#onReadable);
    this.socket.on("end", this.#onClosed);
    this.socket.on("close", this.#onClosed);
  }

  close(reason?: string): void {
    if (this.#done) return;
    this.#release();
    reset(this.socket);
    this.#events.onClosed(this, reason);
  }

  readonly #onReadable = (): void => {
    const chunk = this.socket.read() as Buffer | null;
    if (!chunk) return;
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const header = parseProxyHeader(this.#held);
    if (header.kind === "incomplete") return this.#events.onClaimed(this);
    if (header.kind === "refused") return this.close(`The relay sent no proper header: ${header.reason}.`);
    this.#release();
    const rest = this.#held.subarray(header.length);
    if (rest.length > 0) this.socket.unshift(rest);
    this.#events.onVisitor(this, header.addresses);
  };

  readonly #onClosed = (): void => this.close();

  #release(): void {
    this.#done = true;
    this.socket.removeListener("readable", this.#onReadable);
    this.socket.removeListener("end", this.#onClosed);
    this.socket.removeListener("close", this.#onClosed);
  }
}
