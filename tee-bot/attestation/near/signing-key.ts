/** The keys by which machines of NEAR AI Cloud sign answers, and what they sign (nearai/inference-proxy, src/signing.rs). */
import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { joinBytes } from "../../../shared/bytes.ts";

export const signingAlgorithms = ["ecdsa", "ed25519"] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export interface SigningKey {
  readonly algorithm: SigningAlgorithm;
  /** Hex without `0x`: an Ethereum address (20 bytes) of ecdsa, the key itself (32 bytes) of ed25519. */
  readonly address: string;
}

export const addressBytes = { ecdsa: 20, ed25519: 32 } as const satisfies Record<SigningAlgorithm, number>;

export function isSameKey(a: SigningKey, b: SigningKey): boolean {
  return a.algorithm === b.algorithm && a.address === b.address;
}

/** The address of a public key as a report says it: hex, of secp256k1 with or without its first byte. Undefined: no key. */
export function addressOf(algorithm: SigningAlgorithm, publicKey: string): string | undefined {
  const bytes = Buffer.from(publicKey, "hex");
  if (algorithm === "ed25519") return bytes.length === addressBytes.ed25519 ? publicKey : undefined;
  try {
    return ethereumAddress(bytes.length === 64 ? joinBytes([Uint8Array.of(4), bytes]) : bytes);
  } catch {
    return undefined; // no point of the curve
  }
}

/** Whether this key has signed this text. `signature`: hex without `0x`. */
export function hasSigned({ algorithm, address }: SigningKey, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, "hex");
  const message = new TextEncoder().encode(text);
  try {
    return algorithm === "ecdsa"
      ? recoverAddress(message, bytes) === address
      : ed25519.verify(bytes, message, Buffer.from(address, "hex"), { zip215: false });
  } catch {
    return false; // not even in the form of a signature
  }
}

/** EIP-191 `personal_sign`: r ‖ s ‖ v, v being 27 or 28. Throws when it is none. */
function recoverAddress(message: Uint8Array, signature: Uint8Array): string {
  const v = signature[64];
  if (signature.length !== 65 || (v !== 27 && v !== 28))
    throw new RangeError("This is no signature of Ethereum's kind.");
  const recovered = joinBytes([Uint8Array.of(v - 27), signature.subarray(0, 64)]);
  return ethereumAddress(secp256k1.recoverPublicKey(recovered, personalHash(message), { prehash: false }));
}

/** What is signed in place of a text, so that it can never be a transaction (EIP-191, version 0x45). */
export function personalHash(message: Uint8Array): Uint8Array {
  const prefix = new TextEncoder().encode(`\x19Ethereum Signed Message:\n${message.length}`);
  return keccak_256(joinBytes([prefix, message]));
}

function ethereumAddress(publicKey: Uint8Array): string {
  const uncompressed = secp256k1.Point.fromBytes(publicKey).toBytes(false);
  return Buffer.from(keccak_256(uncompressed.subarray(1)).subarray(12)).toString("hex");
}
