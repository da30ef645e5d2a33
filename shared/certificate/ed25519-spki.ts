/** RFC 8410 §4: the SubjectPublicKeyInfo of an Ed25519 key is this prefix and the 32 bytes of the key. */
const spkiPrefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/** The raw key of an Ed25519 SubjectPublicKeyInfo (DER), or undefined for any other key. */
export function ed25519KeyOfSpki(spki: Uint8Array): Uint8Array | undefined {
  if (spki.length !== spkiPrefix.length + 32) return undefined;
  return spkiPrefix.every((byte, at) => spki[at] === byte)
    ? new Uint8Array(spki.subarray(spkiPrefix.length))
    : undefined;
}
