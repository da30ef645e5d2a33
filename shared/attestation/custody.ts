/**
 * Whether a key was made from what the key provider derived for one application. dstack's GetKey answers with a secret
 * and a chain of signatures for the secp256k1 key of that secret; our keys are other ones, made from it by HKDF, so the
 * derived key signs for them. What this shows rests on the root alone: any signature recovers to some key, so a chain
 * whose root nobody has pinned shows nothing.
 */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Custody } from "./evidence.ts";

export const custodyTag = "postern:key-custody:v1";
/** Before the key provider's signature for an application's key (dstack/kms, `sign_message`). */
const kmsTag = "dstack-kms-issued:";

export interface CustodyTrust {
  /** As measured: 40 hex characters. */
  readonly appId: string;
  /** Public keys of key providers' roots, hex; undefined: none is pinned. */
  readonly kmsRoots: readonly string[] | undefined;
}

/** `unknown`: the chain is whole as far as it can be seen, and no root was given to compare its end with. */
export type CustodyVerdict =
  | { readonly verdict: "proven" | "unknown"; readonly root: string }
  | { readonly verdict: "refused"; readonly reason: string };

/** Never throws for what the custody says. */
export function verifyCustody(custody: Custody, { appId, kmsRoots }: CustodyTrust): CustodyVerdict {
  const expected = custodyPath(custody.key);
  if (custody.path !== expected || custody.purpose !== expected)
    return refused(`it is of the path ${custody.path} and the purpose ${custody.purpose}, not of ${expected}`);
  try {
    const derived = hexToBytes(custody.derived_key);
    const statement = custodyStatement(custody.key, custody.algorithm, hexToBytes(custody.public_key));
    if (!secp256k1.verify(hexToBytes(custody.signature), statement, derived))
      return refused("the derived key has not signed for it");
    const [byApp = "", byRoot = ""] = custody.signature_chain;
    const app = recover(byApp, utf8ToBytes(`${custody.purpose}:${custody.derived_key}`));
    const root = recover(byRoot, concatBytes(utf8ToBytes(kmsTag), hexToBytes(appId), app));
    return judgeRoot(root, kmsRoots);
  } catch {
    return refused("a key or a signature of it cannot be read");
  }
}

/** At which path and for which purpose the guest agent is asked for the key of a use. */
export function custodyPath(use: string): string {
  return `postern/${use}/v1`;
}

/** tag ‖ 0 ‖ use ‖ 0 ‖ algorithm ‖ 0 ‖ public key: what the derived key signs, hashed with SHA-256. */
export function custodyStatement(use: string, algorithm: string, publicKey: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes(`${custodyTag}\0${use}\0${algorithm}\0`), publicKey);
}

function judgeRoot(root: Uint8Array, kmsRoots: readonly string[] | undefined): CustodyVerdict {
  const hex = bytesToHex(root);
  if (!kmsRoots) return { verdict: "unknown", root: hex };
  if (kmsRoots.some((one) => compressed(one) === hex)) return { verdict: "proven", root: hex };
  return refused(`its root ${hex} is not among those that are trusted`);
}

/** The compressed key that has made a signature r ‖ s ‖ recovery id over the Keccak-256 of the message. */
function recover(signature: string, message: Uint8Array): Uint8Array {
  const bytes = hexToBytes(signature);
  const compact = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), "compact");
  return compact
    .addRecoveryBit(bytes[64] ?? 0xff)
    .recoverPublicKey(keccak_256(message))
    .toBytes(true);
}

function compressed(key: string): string {
  return secp256k1.Point.fromHex(key).toHex(true);
}

function refused(reason: string): CustodyVerdict {
  return { verdict: "refused", reason: `The custody of the key cannot be believed: ${reason}.` };
}
