/**
 * The keys that a node answers for, in the form of Attested Confidential Inference (`aci/1`, spec §3.1). The quote binds
 * the digest of its JCS form (RFC 8785), so the encoding on the wire is free.
 */
import canonicalize from "canonicalize";
import { z } from "zod";

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));

const publicKeySchema = z.looseObject({
  key_id: z.string().max(128),
  algo: z.string().max(64),
  public_key: z.string().max(4096),
});

export const keysetSchema = z.looseObject({
  /** Sign receipts of answers. */
  receipt_signing_keys: z.array(publicKeySchema).max(16),
  e2ee_public_keys: z.array(publicKeySchema).max(16),
  /** The keys of the public names' certificates. */
  tls_public_keys: z.array(z.looseObject({ domain: z.string().max(253), spki_sha256: hex(32) })).max(64),
  /** Seconds since 1970. */
  not_after: z.int(),
  subject: z.string().max(512),
  /** The node's Ed25519 identity, hex: an extension of ours, as are those below. */
  node_id: hex(32).optional(),
  /** URIs of the ACME accounts by which its certificates come. */
  acme_accounts: z.array(z.string().max(512)).max(16).optional(),
  /** Public key of the Signal identity of its bot, with its type byte, hex: what signal-cli calls its fingerprint. */
  signal_identity: z.string().max(256).optional(),
  /** The bot's half of every safety number that people see for it. */
  signal_safety_number: z
    .string()
    .regex(/^\d{30}$/)
    .optional(),
});

export type Keyset = z.infer<typeof keysetSchema>;

/** SHA-256 of the JCS form: 32 bytes. */
export async function keysetDigest(keyset: unknown): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonicalize(keyset))));
}
