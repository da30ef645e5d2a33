/**
 * A tunnel in one connection has all its visitors in the thread that holds it. Those who come to another thread reach it
 * over a connection on the loopback interface: a secret that the threads of one process share and the tunnel's number,
 * then what goes into the visitor's stream. Not a Unix socket: that knows no reset, which must be passed on as one.
 */
import { connect } from "node:net";
import { ignoreErrors } from "../../shared/nodejs/ignore-errors.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import type { VisitorLink } from "../tunnel/http2-tunnel.ts";

export const hopSecretBytes = 16;
export const hopPrefaceBytes: number = hopSecretBytes + 4;

export class HopLink implements VisitorLink {
  /** When the tunnel closes its parts are told. */
  readonly closed = false;
  readonly #port: number;
  readonly #preface: Buffer;

  constructor({ id, port, secret }: { id: number; port: number; secret: Uint8Array }) {
    this.#port = port;
    this.#preface = Buffer.alloc(hopPrefaceBytes);
    this.#preface.set(secret);
    this.#preface.writeUInt32BE(id, hopSecretBytes);
  }

  open(): TunnelSocket {
    const socket = connect({ port: this.#port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    ignoreErrors(socket);
    socket.write(this.#preface);
    return socket;
  }
}
