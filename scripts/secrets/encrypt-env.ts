/**
 * Secrets as dstack takes them: encrypted to the key that the KMS holds for one application, so that only its VM reads them
 * (dstack, sdk/js encrypt-env-vars). The host can replace the whole with another; the compose text has to pin what must not be.
 */
import { createCipheriv, createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from "node:crypto";

/** RFC 8410 §4: what stands before the 32 bytes of an X25519 key in SubjectPublicKeyInfo. */
const spkiPrefix = Buffer.from("302a300506032b656e032100", "hex");
const ivBytes = 12;

export interface EnvSecret {
  readonly key: string;
  readonly value: string;
}

/**
 * Ephemeral key ‖ IV ‖ ciphertext ‖ tag. The shared secret is the AES-256-GCM key as it is: dstack has no derivation there.
 * Throws for a key of low order.
 */
export function encryptEnv(secrets: readonly EnvSecret[], publicKey: Uint8Array): Buffer {
  const recipient = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: "der", type: "spki" });
  const ephemeral = generateKeyPairSync("x25519");
  const key = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient });
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const sealed = [cipher.update(JSON.stringify({ env: secrets }), "utf8"), cipher.final(), cipher.getAuthTag()];
  const own = ephemeral.publicKey.export({ format: "der", type: "spki" }).subarray(spkiPrefix.length);
  return Buffer.concat([own, iv, ...sealed]);
}
