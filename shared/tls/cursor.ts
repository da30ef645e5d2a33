/**
 * Reads bytes front to back in the presentation language of TLS (RFC 8446 §3). Reading past the end yields zeros
 * and empty vectors and sets `overrun`, so a caller may read a whole structure and judge it once.
 */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at: number;
  #end: number;
  #overrun = false;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** Something was read that was not there. */
  get overrun(): boolean {
    return this.#overrun;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#end - this.#at;
  }

  skip(bytes: number): void {
    if (bytes <= this.left) this.#at += bytes;
    else this.#fail();
  }

  uint8(): number {
    if (this.left < 1) return this.#fail();
    return this.#bytes[this.#at++] ?? 0;
  }

  uint16(): number {
    return (this.uint8() << 8) | this.uint8();
  }

  /** What follows a length of one byte, `opaque v<0..255>`. */
  vector8(): Cursor {
    return this.#vector(this.uint8());
  }

  /** What follows a length of two bytes, `opaque v<0..2^16-1>`. */
  vector16(): Cursor {
    return this.#vector(this.uint16());
  }

  /** The bytes not read yet, one character each. */
  text(): string {
    let text = "";
    while (this.left > 0) text += String.fromCharCode(this.uint8());
    return text;
  }

  #vector(length: number): Cursor {
    const start = this.#at;
    this.skip(length);
    return new Cursor(this.#bytes, start, this.#at);
  }

  #fail(): number {
    this.#overrun = true;
    this.#at = this.#end; // ends every loop over what is left
    return 0;
  }
}
