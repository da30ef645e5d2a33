/** HTTP/2 frame by frame (RFC 9113 §4), for what no client library would send. */
import type { TLSSocket } from "node:tls";

const frameTypes = { data: 0, headers: 1, rstStream: 3, settings: 4, goaway: 7 } as const;
const endStream = 0x1;
const endHeaders = 0x4;

export class RawHttp2 {
  readonly #socket: TLSSocket;
  #received = Buffer.alloc(0);

  /** `socket` has agreed on h2 and nobody has written to it. */
  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    this.#send(frameTypes.settings, 0, 0, Buffer.alloc(0));
  }

  headers(stream: number, fields: readonly (readonly [string, string])[], { end = false } = {}): void {
    // HPACK, RFC 7541 §6.2.2: literals without indexing and with a new name; lengths below 127.
    const parts = fields.map(([name, value]) =>
      Buffer.concat([
        Buffer.from([0, Buffer.byteLength(name, "latin1")]),
        Buffer.from(name, "latin1"),
        Buffer.from([Buffer.byteLength(value, "latin1")]),
        Buffer.from(value, "latin1"),
      ]),
    );
    this.#send(frameTypes.headers, endHeaders | (end ? endStream : 0), stream, Buffer.concat(parts));
  }

  data(stream: number, payload: Buffer, { end = false } = {}): void {
    this.#send(frameTypes.data, end ? endStream : 0, stream, payload);
  }

  reset(stream: number, code: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code);
    this.#send(frameTypes.rstStream, 0, stream, payload);
  }

  /** What the server has sent for this stream so far; a refusal of the whole connection counts as one of the stream. */
  seen(stream: number): { headers: boolean; body: string; reset: boolean } {
    const seen = { headers: false, body: "", reset: this.#socket.destroyed };
    for (let at = 0; at + 9 <= this.#received.length;) {
      const length = this.#received.readUIntBE(at, 3);
      const type = this.#received[at + 3];
      const of = this.#received.readUInt32BE(at + 5);
      const payload = this.#received.subarray(at + 9, at + 9 + length);
      if (type === frameTypes.goaway) seen.reset = true;
      if (of === stream && type === frameTypes.headers) seen.headers = true;
      if (of === stream && type === frameTypes.rstStream) seen.reset = true;
      if (of === stream && type === frameTypes.data) seen.body += payload.toString("latin1");
      at += 9 + length;
    }
    return seen;
  }

  #send(type: number, flags: number, stream: number, payload: Buffer): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    this.#socket.write(Buffer.concat([head, payload]));
  }
}
