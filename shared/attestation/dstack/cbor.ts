/** The part of CBOR (RFC 8949 §3) that measurement documents use: unsigned numbers, bytes, text, maps with text keys. */
import { rejected } from "../rejected.ts";

export type CborValue = number | string | Uint8Array<ArrayBuffer> | { readonly [key: string]: CborValue };

const maxDepth = 8;
const maxMembers = 256;

/** One value and nothing after it. */
export function parseCbor(bytes: Uint8Array<ArrayBuffer>): CborValue {
  const reader = new CborReader(bytes);
  const value = reader.value(0);
  if (!reader.done) throw rejected("Bytes follow a CBOR value that do not belong to it.");
  return value;
}

class CborReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): CborValue {
    const [initial = 0] = this.#take(1);
    const argument = this.#argument(initial & 0x1f);
    switch (initial >> 5) {
      case 0:
        return argument;
      case 2:
        return this.#take(argument);
      case 3:
        return new TextDecoder().decode(this.#take(argument));
      case 5:
        return this.#map(argument, depth + 1);
      default:
        throw rejected(`CBOR values of type ${initial >> 5} are not known here.`);
    }
  }

  #map(members: number, depth: number): CborValue {
    if (depth > maxDepth || members > maxMembers) throw rejected("A CBOR map is too deep or too large.");
    const map = new Map<string, CborValue>();
    for (let left = members; left > 0; left--) {
      const key = this.value(depth);
      if (typeof key !== "string" || map.has(key))
        throw rejected("A CBOR map has a key twice, or one that is no text.");
      map.set(key, this.value(depth));
    }
    return Object.fromEntries(map);
  }

  /** The number that the low five bits stand for (§3): themselves below 24, else 1, 2 or 4 bytes that follow. */
  #argument(low: number): number {
    if (low < 24) return low;
    if (low > 26) throw rejected("A CBOR number is too large, or of indefinite length.");
    return this.#take(2 ** (low - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw rejected("A CBOR value is cut off.");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
