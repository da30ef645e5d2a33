/**
 * DNS messages, as far as Postern asks and reads them: one question, and the answers to it. Written here since
 * dns-packet works on Node's Buffer, which `shared/` does not have. What comes in is from anyone and may be cut or wrong
 * at any byte.
 *
 *     header:   | id 2 | flags 2 | questions 2 | answers 2 | authorities 2 | additional 2 |      RFC 1035 §4.1.1
 *     question: | name | type 2 | class 2 |                                                      §4.1.2
 *     answer:   | name | type 2 | class 2 | ttl 4 | length 2 | data |                            §4.1.3
 *     name:     ( length 1..63, label )… then 00, or 11xxxxxx xxxxxxxx: goes on at that offset   §4.1.4
 */

/** RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 8659 §4.1. */
const types = { A: 1, NS: 2, CNAME: 5, TXT: 16, AAAA: 28, CAA: 257 } as const;

export type QueryType = keyof typeof types;

export interface AnswerRecord {
  /** Lower case, without the dot at the end. */
  readonly name: string;
  readonly type: QueryType;
  readonly ttl: number;
  /** An address; a name; TXT: its strings joined; CAA: `0 issue "ca.example"`. */
  readonly content: string;
}

export interface DnsAnswer {
  readonly id: number;
  /** RFC 1035 §4.1.1: 0 no error, 2 server failure, 3 no such name, 5 refused. */
  readonly rcode: number;
  /** Records of the types above; others are left out. */
  readonly records: readonly AnswerRecord[];
}

export const rcodes = { noError: 0, noSuchName: 3 } as const;

const headerBytes = 12;
const maxNameBytes = 255; // RFC 1035 §2.3.4
const maxLabelBytes = 63;
const internetClass = 1;
const responseFlag = 0x8000;
const recursionDesired = 0x0100;
const opcodeMask = 0x7800;
const truncatedFlag = 0x0200;

/** One question. Undefined when `name` is no DNS name. */
export function encodeQuery(
  name: string,
  type: QueryType,
  { id, recurse }: { id: number; recurse: boolean },
): Uint8Array<ArrayBuffer> | undefined {
  const encoded = encodeName(name);
  if (!encoded) return undefined;
  const flags = recurse ? recursionDesired : 0;
  return Uint8Array.of(
    ...uint16(id),
    ...uint16(flags),
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    ...encoded,
    ...uint16(types[type]),
    0,
    internetClass,
  );
}

/** Undefined when it is no whole answer: cut, malformed, a question, truncated by its sender. */
export function decodeAnswer(message: Uint8Array): DnsAnswer | undefined {
  const reader = new Reader(message);
  const id = reader.uint16();
  const flags = reader.uint16();
  const questions = reader.uint16();
  const answers = reader.uint16();
  reader.skip(4);
  if (reader.failed || (flags & responseFlag) === 0 || (flags & (opcodeMask | truncatedFlag)) !== 0) return undefined;
  for (let at = 0; at < questions && !reader.failed; at++) {
    reader.name();
    reader.skip(4);
  }
  const records: AnswerRecord[] = [];
  for (let at = 0; at < answers && !reader.failed; at++) {
    const record = readRecord(reader);
    if (record) records.push(record);
  }
  return reader.failed ? undefined : { id, rcode: flags & 0x0f, records };
}

function readRecord(reader: Reader): AnswerRecord | undefined {
  const name = reader.name();
  const type = typeOf(reader.uint16());
  const recordClass = reader.uint16();
  const ttl = reader.uint16() * 0x1_0000 + reader.uint16();
  const length = reader.uint16();
  const end = reader.at + length;
  const content = type && recordClass === internetClass ? readContent(reader, type, end) : undefined;
  reader.moveTo(end);
  return type && content !== undefined ? { name, type, ttl, content } : undefined;
}

function readContent(reader: Reader, type: QueryType, end: number): string | undefined {
  switch (type) {
    case "A":
      return end - reader.at === 4 ? Array.from({ length: 4 }, () => reader.uint8()).join(".") : reader.fail();
    case "AAAA":
      return end - reader.at === 16 ? formatIpv6(Array.from({ length: 8 }, () => reader.uint16())) : reader.fail();
    case "NS":
    case "CNAME":
      return reader.name();
    case "TXT": {
      let text = "";
      while (reader.at < end && !reader.failed) text += reader.text(reader.uint8());
      return reader.at === end ? text : reader.fail();
    }
    case "CAA": {
      const flags = reader.uint8();
      const tag = reader.text(reader.uint8()).toLowerCase();
      return reader.at <= end ? `${flags} ${tag} "${reader.text(end - reader.at)}"` : reader.fail();
    }
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  /** Where the next byte is read. */
  at = 0;
  failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  fail(): undefined {
    this.failed = true;
    this.at = this.#bytes.length;
  }

  moveTo(at: number): void {
    if (at >= this.at && at <= this.#bytes.length) this.at = at;
    else this.fail();
  }

  skip(bytes: number): void {
    this.moveTo(this.at + bytes);
  }

  uint8(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) this.fail();
    else this.at++;
    return byte ?? 0;
  }

  uint16(): number {
    return (this.uint8() << 8) | this.uint8();
  }

  /** One character a byte. */
  text(bytes: number): string {
    const start = this.at;
    this.skip(bytes);
    return this.failed ? "" : String.fromCharCode(...this.#bytes.subarray(start, this.at));
  }

  name(): string {
    const labels: string[] = [];
    let total = 0;
    let resumeAt: number | undefined;
    while (!this.failed) {
      const length = this.uint8();
      if (length === 0) break;
      if (length <= maxLabelBytes) {
        total += length + 1;
        if (total >= maxNameBytes) this.fail();
        labels.push(this.text(length).toLowerCase());
      } else if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.uint8();
        resumeAt ??= this.at;
        if (target < headerBytes || target >= this.at - 2) this.fail(); // only to what came before; labels are counted, so it ends
        else this.at = target;
      } else this.fail();
    }
    if (resumeAt !== undefined && !this.failed) this.at = resumeAt;
    return labels.join(".");
  }
}

function encodeName(name: string): number[] | undefined {
  const bytes: number[] = [];
  for (const label of name.split(".")) {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) return undefined;
    bytes.push(label.length, ...Array.from(label, (character) => character.charCodeAt(0)));
  }
  bytes.push(0);
  return bytes.length <= maxNameBytes ? bytes : undefined;
}

const typeOf = (code: number): QueryType | undefined =>
  (Object.keys(types) as QueryType[]).find((type) => types[type] === code);

const uint16 = (value: number): [number, number] => [(value >> 8) & 0xff, value & 0xff];

/** RFC 5952 §4: lower case, the longest run of zeros left out. */
export function formatIpv6(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(":");
  const runs = [...text.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = runs.toSorted((a, b) => b[0].length - a[0].length)[0];
  if (!longest) return text;
  return `${text.slice(0, longest.index).replace(/:$/, "")}::${text.slice(longest.index + longest[0].length).replace(/^:/, "")}`;
}
