/**
 * The Ed25519 key of a node or relay, kept as a PKCS #8 PEM file that only its owner can read. Whoever has the
 * file is the node.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, type webcrypto } from "node:crypto";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../errors.ts";
import { nodeIdOfKey, type NodeId } from "../registry/node-id.ts";
import { ed25519KeyOfSpki } from "../certificate/ed25519-spki.ts";
import { createIdentityCertificate } from "../certificate/self-signed.ts";
import { writeFileAtomic } from "./files.ts";

// @types/node declares the WebCrypto classes as values only; shared code names them as types.
declare global {
  type CryptoKey = webcrypto.CryptoKey;
  type CryptoKeyPair = webcrypto.CryptoKeyPair;
}

export interface Identity {
  readonly id: NodeId;
  readonly privateKey: KeyObject;
  /** The same key for WebCrypto: signs requests. */
  readonly signingKey: CryptoKey;
  /** PEM of the self-signed certificate that proves the key in TLS. */
  readonly certificate: string;
  readonly privateKeyPem: string;
}

const maxKeyFileBytes = 4096;

/** Reads the identity, or makes one at the first start. */
export async function readOrCreateIdentity(path: string, now: number): Promise<Identity & { created: boolean }> {
  const existing = readKeyFile(path);
  if (existing !== undefined) return { ...(await identityOfPem(existing, now)), created: false };
  const pem = generateIdentityPem();
  saveIdentityPem(path, pem);
  return { ...(await identityOfPem(pem, now)), created: true };
}

/** The PEM text of the file, or undefined when there is none; refuses a file that others can read. */
export function readKeyFile(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (process.platform !== "win32" && (stats.mode & 0o077) !== 0)
    throw new AppError("forbidden", `${path} can be read by other users. Run: chmod 600 ${path}`);
  if (stats.size > maxKeyFileBytes)
    throw new AppError("too-large", `${path} is no key file: it has ${stats.size} bytes.`);
  return readFileSync(path, "utf8");
}

export function generateIdentityPem(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Writes the key with mode 0600, whole or not at all. */
export function saveIdentityPem(path: string, pem: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileAtomic(path, pem, 0o600);
}

/** Throws {@link AppError} unless the text is an unencrypted PKCS #8 PEM with an Ed25519 key. */
export async function identityOfPem(pem: string, now: number): Promise<Identity> {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: pem, format: "pem" });
  } catch (error) {
    throw new AppError("bad-request", "The key file is not an unencrypted PKCS #8 PEM private key.", { cause: error });
  }
  if (privateKey.asymmetricKeyType !== "ed25519")
    throw new AppError("bad-request", `An identity is an Ed25519 key; this one is ${privateKey.asymmetricKeyType}.`);
  const publicKey = createPublicKey(privateKey);
  const raw = ed25519KeyOfSpki(publicKey.export({ type: "spki", format: "der" }));
  if (!raw) throw new AppError("bad-request", "The key is not an Ed25519 key.");
  const id = nodeIdOfKey(raw);
  const signingKey = privateKey.toCryptoKey("Ed25519", false, ["sign"]);
  const keys = { privateKey: signingKey, publicKey: publicKey.toCryptoKey("Ed25519", true, ["verify"]) };
  const der = await createIdentityCertificate(id, keys, now);
  return {
    id,
    privateKey,
    signingKey,
    certificate: pemOf("CERTIFICATE", der),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function pemOf(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
