/** The CBOR (RFC 8949) that a measurement file is made of: maps in the order given, texts, bytes and small numbers. */
export type CborValue = number | string | Uint8Array | { readonly [key: string]: CborValue };

const majorTypes = { unsigned: 0, bytes: 2, text: 3, map: 5 } as const;

export function encodeCbor(value: CborValue): Buffer {
  if (typeof value === "number") return head(majorTypes.unsigned, value);
  if (typeof value === "string") {
    const text = Buffer.from(value);
    return Buffer.concat([head(majorTypes.text, text.length), text]);
  }
  if (value instanceof Uint8Array) return Buffer.concat([head(majorTypes.bytes, value.length), value]);
  const entries = Object.entries(value).map(([key, item]) => Buffer.concat([encodeCbor(key), encodeCbor(item)]));
  return Buffer.concat([head(majorTypes.map, entries.length), ...entries]);
}

/** RFC 8949 §3: the argument in the first byte up to 23, in the next one or two above. */
function head(majorType: number, argument: number): Buffer {
  const type = majorType << 5;
  if (argument < 24) return Buffer.of(type | argument);
  if (argument < 256) return Buffer.of(type | 24, argument);
  if (argument < 65_536) return Buffer.of(type | 25, argument >> 8, argument & 0xff);
  throw new RangeError("Measurements have no longer parts.");
}
