import { rejected } from "../rejected.ts";

/** Reads fields front to back, numbers least significant byte first, as quotes have them. What it gives are views. */
export class LittleEndianReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #what: string;
  #at = 0;

  /** `what` begins the sentence when the bytes end too early. */
  constructor(bytes: Uint8Array<ArrayBuffer>, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get at(): number {
    return this.#at;
  }

  take(length: number): Uint8Array<ArrayBuffer> {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw rejected(`${this.#what} ends too early, after ${this.#bytes.length} bytes.`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  uint16(): number {
    const [low = 0, high = 0] = this.take(2);
    return low | (high << 8);
  }

  uint32(): number {
    return this.uint16() + this.uint16() * 0x1_0000;
  }

  rest(): Uint8Array<ArrayBuffer> {
    return this.take(this.#bytes.length - this.#at);
  }
}
