import { AppError } from "../errors.ts";

/** An Ed25519 public key as 64 lower-case hex characters: who a node or a relay is. */
export type NodeId = string & { readonly kind: "node-id" };

const hexPattern = /^[0-9a-f]{64}$/;
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648 §6, lower case
const labelPattern = /^[a-z2-7]{51}[aq]$/; // 256 bits fill 51 characters and one bit of the 52nd

/**
 * Ed25519 points of small order, in every encoding a lenient verifier accepts: with such a "key" anyone
 * can make signatures. RFC 8032 §5.1; the list is that of "Taming the many EdDSAs" (Chalkias et al., 2020).
 * The sign bit (top bit of the last byte) is cleared before comparing.
 */
const smallOrderPoints = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** Reads 64 hex characters of either case; refuses other text and keys of small order. */
export function parseNodeId(text: string): NodeId {
  const hex = text.toLowerCase();
  if (!hexPattern.test(hex)) throw new AppError("bad-request", "A node id is 64 hexadecimal characters.");
  if (isWeakKey(hex)) throw new AppError("key-weak", "This public key has small order; anyone could sign for it.");
  return hex as NodeId;
}

export function isNodeId(text: string): text is NodeId {
  return hexPattern.test(text) && !isWeakKey(text);
}

function isWeakKey(hex: string): boolean {
  const top = (Number.parseInt(hex.slice(62), 16) & 0x7f).toString(16).padStart(2, "0");
  return smallOrderPoints.has(hex.slice(0, 62) + top);
}

/** The id of a raw public key of 32 bytes. */
export function nodeIdOfKey(raw: Uint8Array): NodeId {
  let hex = "";
  for (const byte of raw) hex += byte.toString(16).padStart(2, "0");
  return parseNodeId(hex);
}

/** The 32 bytes of the public key. */
export function keyOfNodeId(id: NodeId): Uint8Array<ArrayBuffer> {
  const raw = new Uint8Array(32);
  for (let i = 0; i < 32; i++) raw[i] = Number.parseInt(id.slice(2 * i, 2 * i + 2), 16);
  return raw;
}

/** The id as a DNS label: base32, lower case, unpadded, 52 characters (hex would break the limit of 63). */
export function labelOfNodeId(id: NodeId): string {
  let label = "";
  let bits = 0;
  let held = 0;
  for (const byte of keyOfNodeId(id)) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      label += alphabet[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return label + alphabet[(held << (5 - bits)) & 31];
}

/** The id that a label spells, or undefined when it is not one of ours. */
export function nodeIdOfLabel(label: string): NodeId | undefined {
  if (!labelPattern.test(label)) return undefined;
  const raw = new Uint8Array(32);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of label) {
    held = (held << 5) | alphabet.indexOf(character);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      raw[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  let hex = "";
  for (const byte of raw) hex += byte.toString(16).padStart(2, "0");
  return isNodeId(hex) ? hex : undefined;
}
