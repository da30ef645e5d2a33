/**
 * The text of an API key: `postern_`, 32 random bytes in base 62, and a checksum, so that a scanner for secrets can tell
 * a key from any other word, and a key that was cut or mistyped is told apart from one that is not known.
 */
import { hash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const prefix = "postern_";
const secretBytes = 32;
/** 62 ** 43 > 256 ** 32. */
const secretLetters = 43;
/** 62 ** 6 > 2 ** 32. */
const checkLetters = 6;
const form = /^postern_[0-9A-Za-z]{49}$/;
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export function createKeyText(): string {
  const secret = prefix + base62(BigInt(`0x${randomBytes(secretBytes).toString("hex")}`), secretLetters);
  return secret + checksumOf(secret);
}

/** Whether somebody meant this to be a key of ours. */
export function isMeantAsKey(text: string): boolean {
  return text.startsWith(prefix);
}

/** Whether the text is whole, as far as its checksum tells. */
export function isWholeKey(text: string): boolean {
  return form.test(text) && text.endsWith(checksumOf(text.slice(0, -checkLetters)));
}

/** What is kept of a key, and what it is looked up by. 256 random bits need no slow hash. */
export function hashOfKey(text: string): string {
  return hash("sha256", text, "base64url");
}

function checksumOf(secret: string): string {
  return base62(BigInt(crc32(secret)), checkLetters);
}

function base62(value: bigint, letters: number): string {
  let text = "";
  for (let rest = value; text.length < letters; rest /= 62n) text = digits[Number(rest % 62n)] + text;
  return text;
}
