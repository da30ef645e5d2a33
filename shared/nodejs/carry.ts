/**
 * Bytes of one socket to another, no faster than that takes them. Small pieces are copied out of memory that all sockets
 * read into; a socket with much to say gets memory of its own, which is read again once it is written. It yields after
 * each of those that was full, so that who sends at full speed does not keep the others waiting.
 */
import { readInto, type Reader } from "./read-into.ts";
import type { TunnelSocket } from "./tunnel-socket.ts";

const commonBytes = 64 * 1024;
/** What fits into the cache of a processor: larger makes fewer system calls, and slower ones. */
const ownBytes = 256 * 1024;
/** A read of fewer bytes is copied. */
const minOwnRead = 16 * 1024;
const maxSpare = 16;

const common = Buffer.allocUnsafeSlow(commonBytes);
const spare: Buffer[] = [];

/** Begins with what is buffered in `from`. An end of `from` is not passed on; that is the caller's affair. */
export function carry(from: TunnelSocket, to: TunnelSocket): void {
  const carrier = new Carrier(from, to);
  if (!readInto(from, carrier)) return void from.pipe(to, { end: false });
  carrier.start();
}

class Carrier implements Reader {
  buffer: Buffer = common;
  readonly #from: TunnelSocket;
  readonly #to: TunnelSocket;
  /** Until what was given to `to` is written. */
  #waiting = false;

  constructor(from: TunnelSocket, to: TunnelSocket) {
    this.#from = from;
    this.#to = to;
  }

  start(): void {
    this.#to.on("drain", this.#onWritten);
    this.#from.on("close", () => this.#giveBack());
    for (let chunk = this.#read(); chunk; chunk = this.#read()) this.#to.write(chunk);
    this.#waiting = this.#to.writableNeedDrain;
    if (this.#waiting) this.#from.pause();
    else this.#resume();
  }

  onRead(bytes: number, buffer: Buffer): boolean {
    return buffer === common ? this.#copy(bytes) : this.#pass(bytes, buffer);
  }

  #copy(bytes: number): boolean {
    if (bytes >= minOwnRead) this.buffer = spare.pop() ?? Buffer.allocUnsafeSlow(ownBytes);
    const piece = Buffer.allocUnsafe(bytes);
    common.copy(piece, 0, 0, bytes);
    this.#waiting = !this.#to.write(piece);
    return !this.#waiting;
  }

  #pass(bytes: number, buffer: Buffer): boolean {
    this.#to.write(buffer.subarray(0, bytes), this.#onWritten);
    // What the kernel has not taken yet is still in the buffer: nothing may be read into it.
    this.#waiting = this.#to.writableLength > 0;
    if (this.#waiting) return false;
    if (bytes < minOwnRead) this.#giveBack();
    if (bytes < buffer.length) return true;
    setImmediate(this.#resume);
    return false;
  }

  readonly #onWritten = (): void => {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#resume();
  };

  readonly #resume = (): void => {
    if (!this.#from.destroyed) this.#from.resume();
  };

  #read(): Buffer | null {
    return this.#from.read() as Buffer | null;
  }

  #giveBack(): void {
    if (this.buffer !== common && !this.#waiting && spare.length < maxSpare) spare.push(this.buffer);
    this.buffer = common;
  }
}
