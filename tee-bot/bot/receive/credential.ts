/** The password of the webhook: whoever has it can speak to the bot as anybody. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { makeFileOnce } from "../../../shared/nodejs/files.ts";
import { readKeyFile } from "../../../shared/nodejs/identity-file.ts";
import { Sensitive } from "../../../shared/sensitive.ts";
import { hookPath } from "./hook-path.ts";

export const hookUser = "postern";

const secretBytes = 32;
/** Shorter ones can be guessed. */
const minSecretLength = 16;

/** Makes the file at the first time. Throws {@link AppError} for one that others can read, or that has no good password. */
export function readOrCreateHookSecret(path: string): Sensitive<string> {
  const text = readKeyFile(path);
  if (text === undefined) {
    const secret = randomBytes(secretBytes).toString("base64url");
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return makeFileOnce(path, `${secret}\n`, 0o600) ? new Sensitive(secret) : readOrCreateHookSecret(path);
  }
  const secret = text.trim();
  if (secret.length >= minSecretLength && /^[\x21-\x7e]+$/.test(secret)) return new Sensitive(secret);
  const wanted = `one line of at least ${minSecretLength} characters without spaces`;
  throw new AppError("bad-request", `${path} has no password for the webhook: ${wanted} is expected.`);
}

/** What `RECEIVE_WEBHOOK_URL` of the REST server has to be; Go makes Basic authentication of it, and masks it in its log. */
export function hookUrl(secret: Sensitive<string>, origin: URL): Sensitive<string> {
  const url = new URL(hookPath, origin);
  url.username = hookUser;
  url.password = encodeURIComponent(secret.reveal());
  return new Sensitive(url.href);
}

/** Whether an `Authorization` header has the password (RFC 7617). How long it takes says nothing of how much is right. */
export function isAuthorized(header: string | undefined, secret: Sensitive<string>): boolean {
  const given = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(header ?? "")?.[1] ?? "";
  const wanted = Buffer.from(`${hookUser}:${secret.reveal()}`);
  return timingSafeEqual(digest(Buffer.from(given, "base64")), digest(wanted));
}

const digest = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
