/** The node's end of a tunnel in one connection: HTTP/2 on the control connection, with the node as server. */
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import { closeSoon, serverOptions, widen } from "../../shared/nodejs/http2-session.ts";
import { ignoreErrors } from "../../shared/nodejs/ignore-errors.ts";
import { StreamSocket } from "../../shared/nodejs/stream-socket.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { controlAuthority, visitorAuthority } from "../../shared/tunnel/http2.ts";
import { EagerWrites } from "./eager-writes.ts";
import { reset } from "../../shared/nodejs/reset.ts";

export interface Http2LinkEvents {
  /** The stream of control frames; called once. */
  onControl: (socket: TunnelSocket) => void;
  onVisitor: (socket: TunnelSocket) => void;
}

export class Http2Link {
  readonly #events: Http2LinkEvents;
  readonly #session: ServerHttp2Session;
  #hasControl = false;

  /** `socket` has finished its handshake, and the relay has proved its key. */
  constructor(socket: TLSSocket, events: Http2LinkEvents) {
    this.#events = events;
    this.#session = performServerHandshake(new EagerWrites(socket), serverOptions);
    this.#session.on("error", () => {}); // the socket tells
    this.#session.on("stream", (stream, headers) => this.#take(stream, headers[":authority"]));
    widen(this.#session);
  }

  /** Lets the last frame out and closes. */
  end(): void {
    closeSoon(this.#session);
  }

  #take(stream: ServerHttp2Stream, authority: string | undefined): void {
    ignoreErrors(stream);
    if (stream.destroyed || stream.closed) return; // reset before it was seen: respond() would throw
    stream.respond({ ":status": 200 });
    const socket = new StreamSocket(stream);
    if (authority === visitorAuthority) return this.#events.onVisitor(socket);
    if (authority !== controlAuthority || this.#hasControl) return reset(socket);
    this.#hasControl = true;
    this.#events.onControl(socket);
  }
}
