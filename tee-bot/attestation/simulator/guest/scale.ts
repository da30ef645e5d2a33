/**
 * The answer of Attest: dstack's VersionedAttestation, version 0, in SCALE (parity-scale-codec): numbers little-endian,
 * lengths compact, members one after another.
 *
 *   00 | 00 | quote | events (imr 4, type 4, digest, name, payload) | runtime events (name, payload) | report data 64 | config
 */
import type { MeasuredEvent } from "./events.ts";
import { runtimeEventType } from "./events.ts";

export interface AttestationParts {
  readonly quote: Uint8Array;
  readonly events: readonly MeasuredEvent[];
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** JSON text. */
  readonly config: string;
}

const versionZero = 0;
const dstackTdx = 0;

export function encodeAttestation({ quote, events, reportData, config }: AttestationParts): Buffer {
  const runtime = events.filter(({ type }) => type === runtimeEventType);
  return Buffer.concat([
    Buffer.of(versionZero, dstackTdx),
    bytes(quote),
    list(events, ({ imr, type, digest, name, payload }) => [
      uint32(imr),
      uint32(type),
      bytes(digest),
      text(name),
      bytes(payload),
    ]),
    list(runtime, ({ name, payload }) => [text(name), bytes(payload)]),
    reportData,
    text(config),
  ]);
}

function list<T>(items: readonly T[], encode: (item: T) => Buffer[]): Buffer {
  return Buffer.concat([compact(items.length), ...items.flatMap(encode)]);
}

function bytes(value: Uint8Array): Buffer {
  return Buffer.concat([compact(value.length), value]);
}

function text(value: string): Buffer {
  return bytes(Buffer.from(value));
}

function uint32(value: number): Buffer {
  const encoded = Buffer.alloc(4);
  encoded.writeUInt32LE(value);
  return encoded;
}

/** The low two bits tell how many bytes there are: 1, 2 or 4. */
function compact(length: number): Buffer {
  if (length < 1 << 6) return Buffer.of(length << 2);
  if (length < 1 << 14) {
    const encoded = Buffer.alloc(2);
    encoded.writeUInt16LE((length << 2) | 1);
    return encoded;
  }
  return uint32(length * 4 + 2);
}
