import { createHmac } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { describe, expect, it } from "vitest";
import { AppKeys, deriveKey } from "../../../../../tee-bot/attestation/simulator/guest/app-keys.ts";

const rootKey = Buffer.alloc(32, 3);
const appId = Buffer.alloc(20, 4);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The public key that made a signature r ‖ s ‖ id, from the message alone. */
function signerOf(message: Uint8Array, signature: Uint8Array): string {
  const recovered = Buffer.concat([signature.subarray(64), signature.subarray(0, 64)]);
  return hex(secp256k1.recoverPublicKey(recovered, keccak_256(message), { prehash: false }));
}

describe("a key of the application", () => {
  const keys = new AppKeys(rootKey, appId);

  it("is HKDF of the application's key, with the path as it is", () => {
    // RFC 5869 by hand: extract under the salt, then one block of 32 bytes.
    const pseudoRandom = createHmac("sha256", "RATLS").update(keys.secret).digest();
    const block = createHmac("sha256", pseudoRandom).update("postern/identity").update(Buffer.of(1)).digest();
    expect(hex(keys.derive("postern/identity", "x", "ed25519").key)).toBe(hex(block));
    expect(hex(deriveKey(rootKey, appId, "app-key"))).toBe(hex(keys.secret));
  });

  it("depends on application and path, not on purpose or algorithm", () => {
    const key = (path: string, purpose: string, kind: "ed25519" | "secp256k1", of = keys): string =>
      hex(of.derive(path, purpose, kind).key);
    expect(key("a", "x", "ed25519")).toBe(key("a", "y", "secp256k1"));
    expect(key("b", "x", "ed25519")).not.toBe(key("a", "x", "ed25519"));
    expect(key("a", "x", "ed25519", new AppKeys(rootKey, Buffer.alloc(20, 5)))).not.toBe(key("a", "x", "ed25519"));
  });

  it.each(["ed25519", "secp256k1"] as const)("has a chain of signatures up to the root: %s", (kind) => {
    const { publicKey, signatureChain } = keys.derive("a/path", "signing", kind);
    const [byApp, byRoot] = signatureChain;
    expect(signerOf(Buffer.from(`signing:${hex(publicKey)}`), byApp)).toBe(hex(keys.appPublicKey));
    const issued = Buffer.concat([Buffer.from("dstack-kms-issued:"), appId, keys.appPublicKey]);
    expect(signerOf(issued, byRoot)).toBe(hex(keys.rootPublicKey));
    expect(signerOf(Buffer.from(`other:${hex(publicKey)}`), byApp)).not.toBe(hex(keys.appPublicKey));
  });
});
