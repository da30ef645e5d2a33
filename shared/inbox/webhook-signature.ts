/** Signatures of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec 1.0.0), symmetric form. */
import { joinBytes } from "../bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a signature covers. */
export interface SignedWebhook {
  readonly id: string;
  /** Seconds since the Unix epoch, as the header has it. */
  readonly timestamp: string;
  readonly body: Bytes;
}

/** A signature is good for so long before and after its timestamp. */
export const webhookToleranceMs = 5 * 60_000;
export const webhookSecretPrefix = "whsec_";
/** The specification's 24 to 64 bytes. */
const minSecretBytes = 24;
const maxSecretBytes = 64;
/** Several of them while a sender changes its secret. */
const maxSignatures = 8;

/** The bytes of `whsec_<base64>`; undefined for anything else. */
export function parseWebhookSecret(text: string): Bytes | undefined {
  const bytes = text.startsWith(webhookSecretPrefix) ? fromBase64(text.slice(webhookSecretPrefix.length)) : undefined;
  return bytes && bytes.length >= minSecretBytes && bytes.length <= maxSecretBytes ? bytes : undefined;
}

/** `v1,<base64>`: the header `webhook-signature`. */
export async function signWebhook(secret: Bytes, webhook: SignedWebhook): Promise<string> {
  const signature = await crypto.subtle.sign("HMAC", await keyOf(secret), signedBytes(webhook));
  return `v1,${toBase64(new Uint8Array(signature))}`;
}

/** Whether one of the signatures, separated by spaces, is of this secret. Does not look at the time. */
export async function isSignedBy(secret: Bytes, webhook: SignedWebhook, signatures: string): Promise<boolean> {
  const key = await keyOf(secret);
  for (const one of signatures.split(" ", maxSignatures)) {
    const bytes = one.startsWith("v1,") ? fromBase64(one.slice(3)) : undefined;
    // In constant time (Web Cryptography §31.6.2).
    if (bytes && (await crypto.subtle.verify("HMAC", key, bytes, signedBytes(webhook)))) return true;
  }
  return false;
}

/** Whether the header `webhook-timestamp` is near enough to now that the webhook is no old one sent again. */
export function isTimely(timestamp: string, now: number): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(Number(timestamp) * 1_000 - now) <= webhookToleranceMs;
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function fromBase64(base64: string): Bytes | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function signedBytes({ id, timestamp, body }: SignedWebhook): Bytes {
  return joinBytes([new TextEncoder().encode(`${id}.${timestamp}.`), body]);
}

function keyOf(secret: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}
