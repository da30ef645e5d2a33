/**
 * Seals values for a store that others can read, change and put back: AES-256-GCM under keys of the storage key, padded,
 * with the expiry inside. The store's names are HMACs. What is not hidden: how many values there are, which size bucket
 * each is in, when it is written and read, and its epoch (which is close to the time of the last write).
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { AppError } from "../../shared/errors.ts";

export interface SealedValue {
  /** Grows with every change of one name, so that an older value is known as such. */
  readonly epoch: number;
  /** Milliseconds since the Unix epoch; afterwards the value is not given out, whatever its store does. */
  readonly expiresAt: number;
  readonly content: Uint8Array;
}

export type Opened =
  | ({ readonly state: "open" } & SealedValue)
  | { readonly state: "expired" }
  /** It was sealed here, but something newer has been seen since. */
  | { readonly state: "rolled-back" }
  /** It was not sealed here, not for this name, or has been changed. */
  | { readonly state: "forged" };

export const storageKeyBytes = 32;
/** So many bytes at the beginning differ between any two values that were ever sealed: they have the nonce. */
export const sealHeadBytes = 21;
/** Of the content. */
export const maxSealedBytes = 4 * 1024 * 1024;

const version = 1;
const epochBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
const expiryBytes = 8;
const lengthBytes = 4;
const smallestBucketBytes = 256;
const tagBeginningLength = 8;
const algorithm = "aes-256-gcm";

/**
 * ```
 * version 1 | epoch 8 | nonce 12 | ciphertext, of: expiry 8 | length 4 | content | zeros up to the bucket | GCM tag 16
 * ```
 * The associated data are schema, tag and epoch: a value cannot be put under another name nor be given another epoch.
 * Each name has a key of its own, so random nonces stay far from the 2^32 of NIST SP 800-38D §8.3.
 */
export class Seal {
  readonly #storageKey: Uint8Array;
  readonly #nameKey: Uint8Array;
  readonly #schema: string;
  /** Of every tag under this key and schema: a store may hold values of others too. */
  readonly tagBeginning: string;

  /** `schema` names what is kept and its form; values of one are nothing to another. */
  constructor({ storageKey, schema }: { storageKey: Uint8Array; schema: string }) {
    if (storageKey.length !== storageKeyBytes)
      throw new AppError(
        "bad-request",
        `A storage key has ${storageKeyBytes} bytes; this one has ${storageKey.length}.`,
      );
    this.#storageKey = storageKey;
    this.#schema = schema;
    this.#nameKey = this.#deriveKey("name");
    this.tagBeginning = `${this.#hmac("beginning").slice(0, tagBeginningLength)}.`;
  }

  /** What stands for a name in the store: says nothing of it to who lacks the key. */
  tagOf(name: string): string {
    return this.tagBeginning + this.#hmac(`name ${name}`);
  }

  seal(tag: string, { epoch, expiresAt, content }: SealedValue): Uint8Array {
    if (content.length > maxSealedBytes)
      throw new AppError("too-large", `A value of ${content.length} bytes is more than the store takes.`);
    const head = Buffer.alloc(sealHeadBytes);
    head.writeUInt8(version);
    head.writeBigUInt64BE(BigInt(epoch), 1);
    randomBytes(nonceBytes).copy(head, 1 + epochBytes);
    const plain = Buffer.alloc(decideBucket(expiryBytes + lengthBytes + content.length));
    plain.writeBigUInt64BE(BigInt(expiresAt));
    plain.writeUInt32BE(content.length, expiryBytes);
    plain.set(content, expiryBytes + lengthBytes);
    const cipher = createCipheriv(algorithm, this.#deriveKey(`value ${tag}`), head.subarray(1 + epochBytes));
    cipher.setAAD(this.#associatedData(tag, head));
    return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** `newestEpoch` is the newest that was ever seen under this tag, 0 if none was. */
  open(tag: string, value: Uint8Array, { newestEpoch, now }: { newestEpoch: number; now: number }): Opened {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    const plain = this.#decrypt(tag, bytes);
    if (!plain) return { state: "forged" };
    const epoch = Number(bytes.readBigUInt64BE(1));
    if (epoch < newestEpoch) return { state: "rolled-back" };
    const expiresAt = Number(plain.readBigUInt64BE());
    if (expiresAt <= now) return { state: "expired" };
    const start = expiryBytes + lengthBytes;
    return { state: "open", epoch, expiresAt, content: plain.subarray(start, start + plain.readUInt32BE(expiryBytes)) };
  }

  #decrypt(tag: string, bytes: Buffer): Buffer | undefined {
    if (bytes.length < sealHeadBytes + smallestBucketBytes + tagBytes || bytes[0] !== version) return undefined;
    const key = this.#deriveKey(`value ${tag}`);
    const nonce = bytes.subarray(1 + epochBytes, sealHeadBytes);
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(this.#associatedData(tag, bytes));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(sealHeadBytes, -tagBytes)), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  #hmac(text: string): string {
    return createHmac("sha256", this.#nameKey).update(text).digest("base64url");
  }

  #associatedData(tag: string, head: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`postern ${this.#schema}\0${tag}\0`), head.subarray(1, 1 + epochBytes)]);
  }

  #deriveKey(use: string): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", this.#storageKey, "", `postern ${this.#schema} ${use}`, storageKeyBytes));
  }
}

/** The size that a value of so many bytes is padded to: a power of two. */
export function decideBucket(bytes: number): number {
  return Math.max(smallestBucketBytes, 2 ** Math.ceil(Math.log2(bytes)));
}
