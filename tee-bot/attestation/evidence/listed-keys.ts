/** Keys of the node that its keyset lists besides those of TLS, from 32 bytes that its TEE derives for each use. */
import { createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import type { ReceiptSigner } from "../../gateway/receipts/receipts.ts";
import { edwardsPem } from "../keys/key-forms.ts";

/** What the keyset tells of a key (`aci/1` §3.1). */
export interface ListedKey {
  readonly key_id: string;
  readonly algo: string;
  /** Hex. */
  readonly public_key: string;
}

export class ReceiptKey {
  readonly #privateKey: KeyObject;
  readonly listed: ListedKey;

  /** `seed`: 32 bytes for this use alone. */
  constructor(seed: Uint8Array) {
    this.#privateKey = createPrivateKey(edwardsPem("ed25519", seed));
    this.listed = listedKey("receipt", "ed25519", this.#privateKey);
  }

  /** RFC 8032; for receipts only, or their domain would have to be separated from another's. */
  sign(bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, this.#privateKey);
  }

  /** `keysetDigest`: hex, of the keyset that is served now. */
  signer(keysetDigest: () => Promise<string>): ReceiptSigner {
    return { keyId: this.listed.key_id, sign: (bytes) => this.sign(bytes), keysetDigest };
  }
}

/** The public half of the key to which others encrypt. */
export function listedE2eeKey(seed: Uint8Array): ListedKey {
  return listedKey("e2ee", "x25519", createPrivateKey(edwardsPem("x25519", seed)));
}

function listedKey(role: string, algo: string, privateKey: KeyObject): ListedKey {
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey = Buffer.from(x, "base64url").toString("hex");
  return { key_id: `${role}-${publicKey.slice(0, 16)}`, algo, public_key: publicKey };
}
