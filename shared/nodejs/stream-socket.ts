/**
 * A stream of HTTP/2 that behaves as a TCP socket does: an end is one that the other end has meant, everything else is
 * an error. Node pushes an end into a stream that was reset or whose session was lost, which would make an answer look
 * complete that is not.
 */
import { constants, type Http2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { ignoreErrors } from "./ignore-errors.ts";
import type { TunnelSocket } from "./tunnel-socket.ts";

/** How long the other end may take to end its direction once this one is closed. */
const lingerMs = 30_000;

export class StreamSocket extends Duplex implements TunnelSocket {
  readonly #stream: Http2Stream;
  #bytesRead = 0;
  #bytesSent = 0;
  #endReceived = false;
  #endSent = false;

  constructor(stream: Http2Stream) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    ignoreErrors(this);
    stream.on("data", (chunk: Buffer) => {
      this.#bytesRead += chunk.length;
      if (!this.push(chunk)) stream.pause();
    });
    stream.on("end", () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.aborted) return; // "close" follows
      this.#endReceived = true;
      this.push(null);
    });
    ignoreErrors(stream);
    stream.on("close", () => {
      if (!this.#endReceived || !this.#endSent) this.destroy(lost());
    });
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesSent + this.writableLength;
  }

  resetAndDestroy(): this {
    this.#reset();
    return this.destroy();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#stream.cork();
    const last = chunks.length - 1;
    chunks.forEach(({ chunk }, at) => this.#send(chunk, at === last ? done : undefined));
    this.#stream.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#stream.destroyed || this.#stream.closed) return done(lost());
    this.#stream.end(() => {
      this.#endSent = true;
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const stream = this.#stream;
    if (!stream.destroyed && !stream.closed) {
      if (error || !this.#endSent) this.#reset();
      else if (!this.#endReceived) this.#linger();
    }
    done(error);
  }

  #send(chunk: Buffer, done?: (error?: Error | null) => void): void {
    if (this.#stream.destroyed || this.#stream.closed) return done?.(lost());
    this.#bytesSent += chunk.length;
    this.#stream.write(chunk, done);
  }

  /** Closed by this end, as TCP does it: the other end may still end its own direction, but not send. */
  #linger(): void {
    const stream = this.#stream;
    stream.removeAllListeners("data");
    stream.on("data", () => this.#reset());
    stream.setTimeout(lingerMs, () => this.#reset());
    stream.resume();
  }

  /** Not by `close()`, which sends an end before it resets (Node 24). */
  #reset(): void {
    this.#stream.destroy(lost());
  }
}

function lost(): Error {
  return Object.assign(new Error("The connection was reset."), { code: "ECONNRESET" });
}
