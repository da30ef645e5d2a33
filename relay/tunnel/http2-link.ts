/** The relay's end of a tunnel in one connection: HTTP/2 on the node's control connection, with the relay as client. */
import { connect, type ClientHttp2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import { clientOptions, closeSoon, widen } from "../../shared/nodejs/http2-session.ts";
import { StreamSocket } from "../../shared/nodejs/stream-socket.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { controlAuthority, visitorAuthority } from "../../shared/tunnel/http2.ts";

export class Http2Link {
  /** The stream of control frames. */
  readonly control: TunnelSocket;
  readonly #session: ClientHttp2Session;

  /** `socket` has finished its handshake. */
  constructor(socket: TLSSocket) {
    this.#session = connect("http://node.postern", { ...clientOptions, createConnection: () => socket });
    this.#session.on("error", () => {}); // its streams tell
    this.#session.once("connect", widen);
    this.control = this.#open(controlAuthority);
  }

  /** Takes no stream any more. */
  get closed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** A way to the node for one visitor. Must not be {@link closed}. */
  open(): TunnelSocket {
    return this.#open(visitorAuthority);
  }

  /** Lets the last frame out and closes. */
  end(): void {
    closeSoon(this.#session);
  }

  destroy(): void {
    this.#session.destroy();
  }

  #open(authority: string): TunnelSocket {
    return new StreamSocket(this.#session.request({ ":method": "CONNECT", ":authority": authority }));
  }
}
