/** Identity keys, and the numbers by which two people compare theirs. The keys are made of names: nothing is kept secret with them. */
import { createHash, hash } from "node:crypto";

/** `DJB_TYPE` before a Curve25519 key. */
const keyType = Buffer.from([0x05]);
const version = Buffer.from([0, 0]);
/** libsignal, `Fingerprint::new`: version 2 with 5,200 rounds. */
const rounds = 5_200;
const chunks = 6;
const chunkBytes = 5;
/** One takes several milliseconds. */
const known = new Map<string, string>();
const maxKnown = 10_000;

/** What stands for a public key: 33 bytes. */
export function identityKeyOf(uuid: string, installation: number): Buffer {
  return Buffer.concat([
    keyType,
    createHash("sha256").update(`simulated identity key ${installation} ${uuid}`).digest(),
  ]);
}

/** As signal-cli prints it. */
export function formatKey(key: Buffer): string {
  return key.toString("hex").replaceAll(/..(?!$)/g, "$& ");
}

export interface Identity {
  readonly uuid: string;
  readonly key: Buffer;
}

/** 60 digits, the same for both sides (libsignal, `rust/protocol/src/fingerprint.rs`). */
export function safetyNumberOf(one: Identity, other: Identity): string {
  return [digitsOf(one), digitsOf(other)].toSorted().join("");
}

function digitsOf(identity: Identity): string {
  const name = `${identity.uuid} ${identity.key.toString("hex")}`;
  const digits = known.get(name) ?? hashToDigits(identity);
  known.set(name, digits);
  if (known.size > maxKnown) known.clear();
  return digits;
}

function hashToDigits({ uuid, key }: Identity): string {
  const id = Buffer.from(uuid.replaceAll("-", ""), "hex");
  let digest = Buffer.concat([version, key, id]);
  for (let round = 0; round < rounds; round++) digest = hash("sha512", Buffer.concat([digest, key]), "buffer");
  return Array.from({ length: chunks }, (_, index) =>
    String(digest.readUIntBE(index * chunkBytes, chunkBytes) % 100_000).padStart(5, "0"),
  ).join("");
}
