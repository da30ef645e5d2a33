/**
 * What stands for dstack's key management service: the root key under all applications' keys, the CA of their
 * certificates, and what tells this machine from others. Kept in a file, so that an application has the same keys again.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../../../shared/nodejs/files.ts";
import { generateKey, issueCertificate, publicKeyOf, type Holder } from "../pki/authority.ts";
import { holderSchema, holderToJson, readKeys } from "../pki/holder-json.ts";

export interface KeyProvider {
  /** secp256k1, 32 bytes. */
  readonly rootKey: Uint8Array;
  readonly ca: Holder;
  readonly instanceSeed: Uint8Array;
}

const fileName = "kms.json";
const secretBytes = 32;
const dayMs = 86_400_000;
const lifetimeMs = 10 * 365 * dayMs;

const secretSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((hex): Uint8Array => Buffer.from(hex, "hex"));
const fileSchema = z.object({
  version: z.literal(1),
  rootKey: secretSchema,
  ca: holderSchema,
  instanceSeed: secretSchema,
});

export async function readOrCreateKeyProvider(directory: string, now: number): Promise<KeyProvider> {
  const path = join(directory, fileName);
  const existing = readKeys(path, fileSchema);
  if (existing) return existing;
  const made = await createKeyProvider(now);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const content = {
    version: 1,
    rootKey: Buffer.from(made.rootKey).toString("hex"),
    ca: holderToJson(made.ca),
    instanceSeed: Buffer.from(made.instanceSeed).toString("hex"),
  } satisfies z.input<typeof fileSchema>;
  writeFileAtomic(path, JSON.stringify(content), 0o600);
  return made;
}

async function createKeyProvider(now: number): Promise<KeyProvider> {
  const key = generateKey();
  const request = {
    name: "CN=SIMULATOR KMS CA, O=SIMULATOR NOT INTEL",
    publicKey: publicKeyOf(key),
    pathLength: 0,
    notBefore: now - dayMs,
    notAfter: now + lifetimeMs,
  };
  const certificate = await issueCertificate(request, { selfSigned: key });
  return { rootKey: randomBytes(secretBytes), ca: { key, certificate }, instanceSeed: randomBytes(secretBytes) };
}
