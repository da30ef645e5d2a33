/** Writes ClientHellos, right or wrong ones, for tests. It shares nothing with the reader that it tests. */
import { Buffer } from "node:buffer";

export interface Extension {
  type: number;
  data: Uint8Array;
}

export interface HelloParts {
  version?: number;
  random?: Uint8Array;
  sessionId?: Uint8Array;
  cipherSuites?: readonly number[];
  compression?: Uint8Array;
  /** Undefined leaves the whole block away, as clients before TLS 1.2 may. */
  extensions?: readonly Extension[] | undefined;
}

/** The handshake message, RFC 8446 §4.1.2, its four bytes of type and length included. */
export function buildHello({
  version = 0x0303,
  random = Buffer.alloc(32, 0xab),
  sessionId = Buffer.alloc(32, 0xcd),
  cipherSuites = [0x1301, 0x1302, 0x1303, 0xc02b],
  compression = Buffer.of(0),
  extensions,
}: HelloParts): Buffer {
  const body = [
    uint16(version),
    random,
    vector8(sessionId),
    vector16(Buffer.concat(cipherSuites.map(uint16))),
    vector8(compression),
  ];
  if (extensions) {
    const block = extensions.map(({ type, data }) => Buffer.concat([uint16(type), vector16(data)]));
    body.push(vector16(Buffer.concat(block)));
  }
  return message(1, Buffer.concat(body));
}

export function message(type: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(type, body.length >> 16), uint16(body.length & 0xffff), body]);
}

/** The message in handshake records whose fragments have at most `fragmentBytes`. */
export function inRecords(bytes: Uint8Array, fragmentBytes = 16_384): Buffer {
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += fragmentBytes) records.push(record(bytes.subarray(at, at + fragmentBytes)));
  return Buffer.concat(records);
}

export function record(fragment: Uint8Array, contentType = 0x16): Buffer {
  return Buffer.concat([Buffer.of(contentType, 0x03, 0x01), vector16(fragment)]);
}

/** The fragments of well-formed records, joined: the way back from {@link inRecords}. */
export function outOfRecords(bytes: Uint8Array): Buffer {
  const input = Buffer.from(bytes);
  const fragments: Buffer[] = [];
  for (let at = 0; at < input.length; at += 5 + input.readUInt16BE(at + 3))
    fragments.push(input.subarray(at + 5, at + 5 + input.readUInt16BE(at + 3)));
  return Buffer.concat(fragments);
}

export interface NameEntry {
  type: number;
  name: string;
}

export const hostName = (name: string): NameEntry => ({ type: 0, name });

export function serverNames(...entries: readonly NameEntry[]): Extension {
  const list = entries.map(({ type, name }) => Buffer.concat([Buffer.of(type), vector16(Buffer.from(name, "latin1"))]));
  return { type: 0, data: vector16(Buffer.concat(list)) };
}

export function alpn(...protocols: readonly string[]): Extension {
  return { type: 16, data: vector16(Buffer.concat(protocols.map((name) => vector8(Buffer.from(name, "latin1"))))) };
}

export const filler = (type: number, bytes: number): Extension => ({ type, data: Buffer.alloc(bytes, 0x5a) });

export function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

export function vector8(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

export function vector16(bytes: Uint8Array): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes]);
}
