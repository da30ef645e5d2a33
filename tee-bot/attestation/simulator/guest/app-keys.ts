/**
 * The application's keys as dstack derives them (ra-tls/src/kdf.rs, kms/src/crypto.rs, guest-agent's rpc_service.rs): the
 * key provider's root key has signed for the application's key, which signs for each key below it.
 */
import { hkdfSync } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

export type KeyKind = "secp256k1" | "ed25519";

export interface DerivedKey {
  readonly key: Uint8Array;
  readonly publicKey: Uint8Array;
  /** By the application's key, then by the root; each r ‖ s ‖ recovery id. */
  readonly signatureChain: readonly [Uint8Array, Uint8Array];
}

const salt = "RATLS";
const keyBytes = 32;

/** HKDF-SHA256; the parts of the context are joined without a mark between them, as the original does. */
export function deriveKey(secret: Uint8Array, ...context: readonly (Uint8Array | string)[]): Uint8Array {
  const info = Buffer.concat(context.map((part) => Buffer.from(part)));
  return new Uint8Array(hkdfSync("sha256", secret, salt, info, keyBytes));
}

export class AppKeys {
  /** Compressed, of the key provider: what a verifier of custody pins. */
  readonly rootPublicKey: Uint8Array;
  readonly appPublicKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly #rootSignature: Uint8Array;

  constructor(rootKey: Uint8Array, appId: Uint8Array) {
    this.rootPublicKey = secp256k1.getPublicKey(rootKey, true);
    this.secret = deriveKey(rootKey, appId, "app-key");
    this.appPublicKey = secp256k1.getPublicKey(this.secret, true);
    const issued = Buffer.concat([Buffer.from("dstack-kms-issued:"), appId, this.appPublicKey]);
    this.#rootSignature = signRecoverable(issued, rootKey);
  }

  /** The bytes depend on the path alone; the purpose is only in what is signed. */
  derive(path: string, purpose: string, kind: KeyKind): DerivedKey {
    const key = deriveKey(this.secret, path);
    const publicKey = kind === "ed25519" ? ed25519.getPublicKey(key) : secp256k1.getPublicKey(key, true);
    const statement = Buffer.from(`${purpose}:${Buffer.from(publicKey).toString("hex")}`);
    return { key, publicKey, signatureChain: [signRecoverable(statement, this.secret), this.#rootSignature] };
  }
}

/** Over Keccak-256, with the recovery id at the end, where Ethereum has it. */
function signRecoverable(message: Uint8Array, key: Uint8Array): Uint8Array {
  const signature = secp256k1.sign(keccak_256(message), key, { prehash: false, format: "recovered" });
  return Buffer.concat([signature.subarray(1), signature.subarray(0, 1)]);
}
