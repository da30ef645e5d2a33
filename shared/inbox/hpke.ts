/**
 * Hybrid Public Key Encryption (RFC 9180) as far as it is needed here: base mode, one message for each key, with
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. Base mode hides a message and says nothing of who sealed it.
 * X25519, HMAC and AES-GCM are WebCrypto's; a published library would be 27 KiB of the edge's bundle.
 */
import { joinBytes } from "../bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What sealer and opener have to agree on besides the key (RFC 9180 §5.1, §5.2). */
export interface SealContext {
  readonly info: Bytes;
  readonly aad: Bytes;
}

export const x25519KeyBytes = 32;
const hashBytes = 32; // SHA-256
const aesKeyBytes = 32;
const nonceBytes = 12;

/** enc ‖ ciphertext (RFC 9180 §6.1, SealBase). Throws for a key of small order (§7.1.4). */
export async function sealTo(publicKey: Bytes, plaintext: Bytes, context: SealContext): Promise<Bytes> {
  const recipient = await crypto.subtle.importKey("raw", publicKey, "X25519", false, []);
  const ephemeral = await crypto.subtle.generateKey("X25519", false, ["deriveBits"]);
  const enc = new Uint8Array(await crypto.subtle.exportKey("raw", ephemeral.publicKey));
  const shared = await agree(ephemeral.privateKey, recipient);
  const { key, iv } = await schedule(shared, joinBytes([enc, publicKey]), context.info);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: context.aad }, key, plaintext);
  return joinBytes([enc, new Uint8Array(sealed)]);
}

/** The plaintext; throws for what was not sealed to this key in this context (RFC 9180 §6.1, OpenBase). */
export async function openSealed(
  keys: { readonly privateKey: CryptoKey; readonly publicKey: Bytes },
  sealed: Bytes,
  context: SealContext,
): Promise<Bytes> {
  const enc = sealed.slice(0, x25519KeyBytes);
  const sender = await crypto.subtle.importKey("raw", enc, "X25519", false, []);
  const shared = await agree(keys.privateKey, sender);
  const { key, iv } = await schedule(shared, joinBytes([enc, keys.publicKey]), context.info);
  const cipher = { name: "AES-GCM", iv, additionalData: context.aad };
  return new Uint8Array(await crypto.subtle.decrypt(cipher, key, sealed.subarray(x25519KeyBytes)));
}

/** WebCrypto refuses a result of zeros, as RFC 9180 §7.1.4 asks. */
async function agree(privateKey: CryptoKey, publicKey: CryptoKey): Promise<Bytes> {
  // The name is `$public` in workers-types, which call the key so because C++ cannot.
  const algorithm = { name: "X25519", public: publicKey } as unknown as { name: string };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, privateKey, 8 * hashBytes));
}

const text = (value: string): Bytes => new TextEncoder().encode(value);
const none = new Uint8Array(0);
const kemSuite = joinBytes([text("KEM"), Uint8Array.of(0, 0x20)]);
const suite = joinBytes([text("HPKE"), Uint8Array.of(0, 0x20, 0, 0x01, 0, 0x02)]);
/** HKDF's salt when there is none (RFC 5869 §2.2); WebCrypto takes no empty HMAC key. */
const noSalt = new Uint8Array(hashBytes);
const baseMode = 0;

/** ExtractAndExpand (RFC 9180 §4.1), then KeySchedule (§5.1) without a PSK. */
async function schedule(dh: Bytes, kemContext: Bytes, info: Bytes): Promise<{ key: CryptoKey; iv: Bytes }> {
  const extracted = await extract(kemSuite, noSalt, "eae_prk", dh);
  const shared = await expand(kemSuite, extracted, "shared_secret", kemContext, hashBytes);
  const pskIdHash = await extract(suite, noSalt, "psk_id_hash", none);
  const infoHash = await extract(suite, noSalt, "info_hash", info);
  const context = joinBytes([Uint8Array.of(baseMode), pskIdHash, infoHash]);
  const secret = await extract(suite, shared, "secret", none);
  const raw = await expand(suite, secret, "key", context, aesKeyBytes);
  const iv = await expand(suite, secret, "base_nonce", context, nonceBytes);
  return { key: await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]), iv };
}

/** LabeledExtract (RFC 9180 §4). */
function extract(id: Bytes, salt: Bytes, label: string, ikm: Bytes): Promise<Bytes> {
  return hmac(salt, joinBytes([text("HPKE-v1"), id, text(label), ikm]));
}

/** LabeledExpand (RFC 9180 §4), for `length` up to one block of HKDF. */
async function expand(id: Bytes, key: Bytes, label: string, info: Bytes, length: number): Promise<Bytes> {
  const labelled = [Uint8Array.of(0, length), text("HPKE-v1"), id, text(label), info];
  return (await hmac(key, joinBytes([...labelled, Uint8Array.of(1)]))).slice(0, length);
}

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}
