/** The key that webhooks are sealed to, and what is made of it: whoever has it reads what waits in the inbox. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { webhookSecretPrefix } from "../../shared/inbox/webhook-signature.ts";
import { readKeyFile, saveIdentityPem } from "../../shared/nodejs/identity-file.ts";

export interface InboxKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** What the edge signs with towards this node: since anybody can seal to the key, that is how it is told from others. */
  readonly secret: string;
}

const secretBytes = 32;

/** PEM (PKCS #8); made at the first start, with mode 0600. */
export function readOrCreateInboxKey(path: string): string {
  const existing = readKeyFile(path);
  if (existing !== undefined) return existing;
  const pem = generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  saveIdentityPem(path, pem);
  return pem;
}

/** Throws {@link AppError} unless the text is an X25519 key. */
export function inboxKeyOfPem(pem: string): InboxKey {
  try {
    const key = createPrivateKey(pem);
    const { d = "" } = key.export({ format: "jwk" });
    const { x = "" } = createPublicKey(key).export({ format: "jwk" });
    const secret = hkdfSync("sha256", Buffer.from(d, "base64url"), "", "postern inbox signature", secretBytes);
    return {
      privateKey: key.toCryptoKey("X25519", false, ["deriveBits"]),
      publicKey: Uint8Array.from(Buffer.from(x, "base64url")),
      secret: webhookSecretPrefix + Buffer.from(secret).toString("base64"),
    };
  } catch (error) {
    throw new AppError("bad-request", "The inbox's key is no PEM X25519 key. Move it away and a new one is made.", {
      cause: error,
    });
  }
}
