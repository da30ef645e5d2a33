/** The calls Sign and Verify: one key for the whole application, and plain arithmetic. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { AgentError } from "./agent-error.ts";
import type { AppKeys, KeyKind } from "./app-keys.ts";

/** All keys of this call are at one path, whoever asks and for what. */
export const signingPath = "vms";
export const signingPurpose = "signing";
const prehashedBytes = 32;

export interface Signed {
  readonly signature: Uint8Array;
  readonly signatureChain: readonly Uint8Array[];
  readonly publicKey: Uint8Array;
}

/** `k256` is another name of secp256k1, and no name is too. */
export function keyKindOf(algorithm: string): KeyKind {
  if (algorithm === "ed25519") return "ed25519";
  if (algorithm === "" || algorithm === "k256" || algorithm === "secp256k1") return "secp256k1";
  throw new AgentError("Unsupported algorithm");
}

export function signWith(keys: AppKeys, algorithm: string, data: Uint8Array): Signed {
  const prehashed = algorithm === "secp256k1_prehashed";
  if (prehashed && data.length !== prehashedBytes)
    throw new AgentError(`Pre-hashed signing requires a 32-byte digest, but received ${data.length} bytes`);
  const kind = prehashed ? "secp256k1" : signingKindOf(algorithm);
  const { key, publicKey, signatureChain } = keys.derive(signingPath, signingPurpose, kind);
  const signature = kind === "ed25519" ? ed25519.sign(data, key) : secp256k1.sign(data, key, { prehash: !prehashed });
  return { signature, publicKey, signatureChain: [signature, ...signatureChain] };
}

/** False for signatures that do not fit; a key or a signature of the wrong form is an error, as in the original. */
export function verifyWith(algorithm: string, data: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  const prehashed = algorithm === "secp256k1_prehashed";
  const kind = prehashed ? "secp256k1" : signingKindOf(algorithm);
  const keyLengths = kind === "ed25519" ? [32] : [33, 65];
  if (!keyLengths.includes(publicKey.length)) throw new AgentError("invalid public key");
  if (signature.length !== 64) throw new AgentError("signature error");
  try {
    return kind === "ed25519"
      ? ed25519.verify(signature, data, publicKey)
      : secp256k1.verify(signature, data, publicKey, { prehash: !prehashed });
  } catch {
    throw new AgentError("invalid public key");
  }
}

/** These calls have no default. */
function signingKindOf(algorithm: string): KeyKind {
  if (algorithm === "") throw new AgentError("Unsupported algorithm");
  return keyKindOf(algorithm);
}
