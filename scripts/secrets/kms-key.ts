/**
 * Whether a key for secrets is the KMS's. Whoever stands between could give a key of their own, so the KMS signs it for the
 * application, and the signer has to be the one that is pinned (dstack, sdk/js verify-env-encrypt-public-key).
 */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

const tag = "dstack-env-encrypt-pubkey";
export const maxAgeSeconds = 300;
/** The KMS's clock may be ahead of ours. */
export const maxSkewSeconds = 60;
const timestampBytes = 8;
const signatureBytes = 65;

/** What the KMS answers to `GetAppEnvEncryptPubKey`. */
export interface KmsKey {
  readonly publicKey: Uint8Array;
  /** Over the key alone: good for ever, so an old key of the application can be given again. */
  readonly signature: Uint8Array | undefined;
  /** Over the key and the time at which it was asked for; undefined from a KMS of before that. */
  readonly dated: { readonly signature: Uint8Array; readonly timestamp: bigint } | undefined;
}

export interface KmsTrust {
  /** 20 bytes. */
  readonly appId: Uint8Array;
  /** Compressed secp256k1, of those who may sign; hex. */
  readonly signers: readonly string[];
  /** Seconds since 1970. */
  readonly now: number;
  /** A signature without a time is accepted where there is none with one. */
  readonly allowUndated: boolean;
}

export type KmsVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A signature recovers to some key whatever it is over, so what shows anything is only who it recovers to. */
export function verifyKmsKey(key: KmsKey, trust: KmsTrust): KmsVerdict {
  const { publicKey, signature, dated } = key;
  if (dated) {
    const age = trust.now - Number(dated.timestamp);
    if (age > maxAgeSeconds) return refused(`its signature is ${age} s old, and may be ${maxAgeSeconds} s`);
    if (age < -maxSkewSeconds) return refused("its signature is of the future: is the clock of this machine right?");
    return judgeSigner(dated.signature, concatBytes(trust.appId, bigEndian(dated.timestamp), publicKey), trust);
  }
  if (!signature) return refused("it is not signed");
  if (!trust.allowUndated) return refused("its signature has no time, so it may be an old one that is given again");
  return judgeSigner(signature, concatBytes(trust.appId, publicKey), trust);
}

function judgeSigner(signature: Uint8Array, statement: Uint8Array, { signers }: KmsTrust): KmsVerdict {
  const signer = recoverSigner(signature, concatBytes(utf8ToBytes(`${tag}:`), statement));
  if (signer === undefined) return refused("its signature cannot be read");
  if (signers.includes(signer)) return { ok: true };
  return refused(`it is signed by ${signer}, or for another application; neither is what was pinned`);
}

/** Compressed, hex; r ‖ s ‖ recovery id, over the Keccak-256 of the message. */
function recoverSigner(signature: Uint8Array, message: Uint8Array): string | undefined {
  if (signature.length !== signatureBytes) return undefined;
  try {
    return secp256k1.Signature.fromBytes(signature.subarray(0, 64), "compact")
      .addRecoveryBit(signature[64] ?? 0xff)
      .recoverPublicKey(keccak_256(message))
      .toHex(true);
  } catch {
    return undefined;
  }
}

function bigEndian(timestamp: bigint): Uint8Array {
  const bytes = Buffer.alloc(timestampBytes);
  bytes.writeBigUInt64BE(timestamp);
  return bytes;
}

const refused = (why: string): KmsVerdict => ({ ok: false, reason: `The KMS's key is not to be trusted: ${why}.` });
