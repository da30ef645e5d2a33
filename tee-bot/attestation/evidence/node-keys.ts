/** Keys of the node besides those of TLS and identity, from 32 bytes that its TEE derives for each use. */
import { createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";

/** What the keyset tells of a key (`aci/1` §3.1). */
export interface ListedKey {
  readonly key_id: string;
  readonly algo: string;
  /** Hex. */
  readonly public_key: string;
}

/** RFC 8410 §7: all of a PKCS #8 document that stands before the 32 bytes of the key. */
const pkcs8Head = { ed25519: "302e020100300506032b657004220420", x25519: "302e020100300506032b656e04220420" } as const;
const seedBytes = 32;

export class ReceiptKey {
  readonly #privateKey: KeyObject;
  readonly listed: ListedKey;

  /** `seed`: 32 bytes for this use alone. */
  constructor(seed: Uint8Array) {
    this.#privateKey = privateKeyOf("ed25519", seed);
    this.listed = listedKey("receipt", "ed25519", this.#privateKey);
  }

  /** RFC 8032; for receipts only, or their domain would have to be separated from another's. */
  sign(bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, this.#privateKey);
  }
}

/** The public half of the key to which others encrypt. */
export function listedE2eeKey(seed: Uint8Array): ListedKey {
  return listedKey("e2ee", "x25519", privateKeyOf("x25519", seed));
}

function privateKeyOf(algorithm: keyof typeof pkcs8Head, seed: Uint8Array): KeyObject {
  if (seed.length !== seedBytes) throw new RangeError(`A key is made of ${seedBytes} bytes.`);
  const key = Buffer.concat([Buffer.from(pkcs8Head[algorithm], "hex"), seed]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

function listedKey(role: string, algo: string, privateKey: KeyObject): ListedKey {
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey = Buffer.from(x, "base64url").toString("hex");
  return { key_id: `${role}-${publicKey.slice(0, 16)}`, algo, public_key: publicKey };
}
