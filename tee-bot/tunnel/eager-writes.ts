import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

/**
 * A TLS socket whose writes are done at once, for HTTP/2: Node's session does not read while one of its writes waits
 * (24.21), so two sessions that send to each other more than the kernels hold would wait for each other for ever. It is
 * enough that one end goes on reading. What is queued here is bounded by the window that the other end gives.
 */
export class EagerWrites extends Duplex {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#socket.write(chunk);
    done();
  }

  /** Frames come as a head of nine bytes and a body: together they are one TLS record rather than two. */
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#socket.cork();
    for (const { chunk } of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
    done();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
