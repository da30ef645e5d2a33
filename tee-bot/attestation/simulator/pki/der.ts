/** The few forms of DER (X.690) that a PCK certificate's extension and a list's number are made of. */

const tags = { integer: 0x02, octets: 0x04, oid: 0x06, enumerated: 0x0a, sequence: 0x30 } as const;

export const derInteger = (value: number): Buffer => element(tags.integer, positive(value));
export const derOctets = (bytes: Uint8Array): Buffer => element(tags.octets, bytes);
/** `encoded`: the content octets, each arc already in base 128. */
export const derOid = (encoded: readonly number[]): Buffer => element(tags.oid, Uint8Array.from(encoded));
export const derEnumerated = (value: number): Buffer => element(tags.enumerated, Uint8Array.of(value));
export const derSequence = (parts: readonly Uint8Array[]): Buffer => element(tags.sequence, Buffer.concat(parts));

function element(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content.length), content]);
}

/** X.690 §8.1.3: short up to 127, else the count of the bytes that follow. */
function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes = bigEndian(length);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

/** A leading zero keeps the number from being read as negative. */
function positive(value: number): Uint8Array {
  const bytes = bigEndian(value);
  return Uint8Array.from((bytes[0] ?? 0) >= 0x80 ? [0, ...bytes] : bytes);
}

function bigEndian(value: number): number[] {
  const bytes = [value % 256];
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
}
