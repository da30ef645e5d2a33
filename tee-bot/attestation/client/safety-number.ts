/**
 * A person's half of Signal's safety numbers. The 60 digits that two people see are their two halves, the smaller first, so
 * the bot's half stands in every number that anybody sees for it, and can be said once for all.
 */
import { createHash } from "node:crypto";

export const halfDigits = 30;

/** libsignal, rust/protocol/src/fingerprint.rs: `Fingerprint::get_fingerprint`, with the rounds that all clients use. */
const rounds = 5_200;
const version = Buffer.alloc(2);
const groups = 6;
const groupBytes = 5;
const groupRange = 100_000;

/** `key`: the public identity key with its type byte. `id`: the 16 bytes of the ACI, since safety numbers go by that. */
export function safetyHalf(key: Uint8Array, id: Uint8Array): string {
  let hash = Buffer.concat([version, key, id]);
  for (let round = 0; round < rounds; round++) hash = createHash("sha512").update(hash).update(key).digest();
  return Array.from({ length: groups }, (_, group) =>
    String(hash.readUIntBE(group * groupBytes, groupBytes) % groupRange).padStart(groupBytes, "0"),
  ).join("");
}

/** Whether a safety number, as a phone shows it, has this half. */
export function hasHalf(safetyNumber: string, half: string): boolean {
  const digits = digitsOf(safetyNumber);
  return digits.length === 2 * halfDigits && (digits.startsWith(half) || digits.endsWith(half));
}

export const digitsOf = (text: string): string => text.replaceAll(/\D/g, "");
