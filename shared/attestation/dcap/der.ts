/**
 * DER (ITU-T X.690 §8, §10) as far as certificates and revocation lists need it. Strict, without recursion of its own
 * and without copies: whoever has signed nothing yet can only make it read as many bytes as he sent.
 */
import { rejected } from "../rejected.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface DerElement {
  readonly tag: number;
  readonly content: Bytes;
  /** With tag and length: what is signed, or compared. */
  readonly whole: Bytes;
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** Context-specific, constructed. */
  context: (number: number) => 0xa0 | number,
} as const;

const maxLengthBytes = 3;

/** One element and nothing after it. */
export function readDer(bytes: Bytes, tag: number): DerElement {
  const element = elementAt(bytes, 0);
  if (element.whole.length !== bytes.length) throw rejected("Bytes follow a DER element that do not belong to it.");
  return expectTag(element, tag);
}

/** What a constructed element consists of, one after the other. */
export function* derChildren({ content }: Pick<DerElement, "content">): Generator<DerElement, undefined> {
  for (let at = 0; at < content.length;) {
    const element = elementAt(content, at);
    at += element.whole.length;
    yield element;
  }
}

/** Takes the children of a SEQUENCE in order; `optional` leaves one of another tag for the next call. */
export class DerSequence {
  readonly #children: Generator<DerElement, undefined>;
  #next: DerElement | undefined;

  constructor(parent: DerElement) {
    this.#children = derChildren(expectTag(parent, derTag.sequence));
    this.#next = this.#children.next().value;
  }

  get done(): boolean {
    return this.#next === undefined;
  }

  /** Of any tag. */
  any(): DerElement {
    const element = this.#next;
    if (!element) throw rejected("A DER sequence ends too early.");
    this.#next = this.#children.next().value;
    return element;
  }

  take(tag: number): DerElement {
    return expectTag(this.any(), tag);
  }

  optional(tag: number): DerElement | undefined {
    return this.#next?.tag === tag ? this.any() : undefined;
  }

  end(): void {
    if (this.#next) throw rejected("A DER sequence has more members than it should.");
  }
}

/** `1.2.840.…`: base 128, the first two numbers in one (X.690 §8.19). */
export function derOid({ content }: DerElement): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of content) {
    number = number * 128 + (byte & 0x7f);
    if (number > Number.MAX_SAFE_INTEGER / 128) throw rejected("An object identifier is too long.");
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const first = numbers[0] ?? 0;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - 40 * top, ...numbers.slice(1)].join(".");
}

/** A number that is not negative, of at most five bytes. */
export function derNumber({ content }: DerElement): number {
  const [first = 0x80] = content;
  if (first >= 0x80 || content.length > 5) throw rejected("A DER number is negative, or too large.");
  return content.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** UTCTime and GeneralizedTime as RFC 5280 §4.1.2.5 has them, in seconds since 1970. */
export function derTime({ tag, content }: DerElement): number {
  const text = String.fromCharCode(...content.subarray(0, 20));
  const [, year, month, day, hour, minute, second] =
    (tag === derTag.utcTime ? utcTime : generalizedTime).exec(text) ?? [];
  if (year === undefined || (tag !== derTag.utcTime && tag !== derTag.generalizedTime))
    throw rejected("A time in DER cannot be read.");
  const century = tag === derTag.utcTime ? (Number(year) < 50 ? "20" : "19") : "";
  const time = Date.parse(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time)) throw rejected("A time in DER is not one of the calendar.");
  return time / 1000;
}

const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** A SEQUENCE of two INTEGERs (RFC 3279 §2.2.3) as r ‖ s, 64 bytes, which is WebCrypto's form for P-256. */
export function derSignature(bytes: Bytes): Bytes {
  const both = new DerSequence(readDer(bytes, derTag.sequence));
  const raw = new Uint8Array(64);
  for (const end of [32, 64]) {
    const { content } = both.take(derTag.integer);
    const digits = content[0] === 0 ? content.subarray(1) : content;
    if (digits.length > 32 || (content[0] ?? 0x80) >= 0x80) throw rejected("An ECDSA signature cannot be read.");
    raw.set(digits, end - digits.length);
  }
  both.end();
  return raw;
}

/** A BIT STRING of whole bytes. */
export function derBits({ content }: DerElement): Bytes {
  if (content[0] !== 0) throw rejected("A bit string does not end with a byte.");
  return content.subarray(1);
}

export function expectTag(element: DerElement, tag: number): DerElement {
  if (element.tag !== tag)
    throw rejected(`A DER element has tag ${element.tag.toString(16)} where ${tag.toString(16)} is due.`);
  return element;
}

function elementAt(bytes: Bytes, start: number): DerElement {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw rejected("A DER element is cut off.");
  let at = start + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > maxLengthBytes) throw rejected("A DER length cannot be read.");
    length = 0;
    for (let left = count; left > 0; left--) length = length * 256 + (bytes[at++] ?? 0);
    if (length < 0x80 || length < 256 ** (count - 1)) throw rejected("A DER length is longer than it need be.");
  }
  const end = at + length;
  if (end > bytes.length) throw rejected("A DER element is cut off.");
  return { tag, content: bytes.subarray(at, end), whole: bytes.subarray(start, end) };
}
