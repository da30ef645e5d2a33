/**
 * What a node shows of itself: `GET /.well-known/postern-attestation?nonce=<64 hex>`. Nothing in it is to be believed as
 * such: a verifier takes the quote's word for the rest, and computes `report_data` from what it sees itself.
 */
import { z } from "zod";
import { collateralSchema } from "./collateral.ts";
import { keysetSchema } from "./keyset.ts";

export const evidencePath = "/.well-known/postern-attestation";
export const evidenceVersion = "postern.attestation/1";
/** Of a whole document: quote 10 kB, event log 10 kB, compose text up to 256 KiB, collateral 30 kB. */
export const maxEvidenceBytes = 2 * 1024 * 1024;

const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** What one guest agent answers to GetQuote and Info, texts exactly as they came. */
export const quoteEvidenceSchema = z.object({
  quote: hex.max(64 * 1024),
  /** JSON text of the event log. */
  event_log: z.string().max(1024 * 1024),
  /** The exact text whose SHA-256 is measured as `compose-hash`; absent where the operator keeps it to itself. */
  app_compose: z
    .string()
    .max(512 * 1024)
    .optional(),
  /** JSON text. */
  vm_config: z
    .string()
    .max(256 * 1024)
    .optional(),
});
export type QuoteEvidence = z.infer<typeof quoteEvidenceSchema>;

/**
 * Where one of the node's keys comes from. The key provider's root has signed for the application's key, that one for
 * `derived_key`, and that one for the key itself: custody.ts has the rules.
 */
export const custodySchema = z.object({
  /** What the key is for, as in the keyset: `identity`, `tls`, `receipt`, `e2ee`. */
  key: z.string().max(64),
  /** Of `public_key`: `ed25519` and `x25519` (32 bytes), `p256` (SubjectPublicKeyInfo, DER). */
  algorithm: z.string().max(32),
  public_key: hex.max(512),
  /** At which path, and for which purpose, the guest agent was asked for the derived key. */
  path: z.string().max(256),
  purpose: z.string().max(256),
  /** Compressed secp256k1. */
  derived_key: hex.length(66),
  /** By the derived key over the custody statement: r ‖ s. */
  signature: hex.length(128),
  /** Recoverable secp256k1 signatures, r ‖ s ‖ recovery id; the application's first. */
  signature_chain: z.array(hex.length(130)).length(2),
});
export type Custody = z.infer<typeof custodySchema>;

export const evidenceSchema = z.object({
  version: z.literal(evidenceVersion),
  /** Loud, and only a hint: the quote's root decides. */
  simulated: z.boolean(),
  node_id: digest,
  nonce: digest,
  keyset: keysetSchema,
  keyset_digest: digest,
  connection: z.object({ spki_sha256: digest, exporter_label: z.string().max(128), exporter: digest }),
  report_data: z.string().regex(/^[0-9a-f]{128}$/),
  evidence: quoteEvidenceSchema,
  /** Absent where the node could not get it; the verifier then asks by itself. */
  collateral: z.object({ retrieved_at: z.int(), source: z.string().max(512), documents: collateralSchema }).optional(),
  custody: z.array(custodySchema).max(16),
  /** As the node sees it in DNS. */
  caa: z.array(z.object({ name: z.string().max(253), records: z.array(z.string().max(512)).max(32) })).max(16),
  images: z.array(z.object({ image: z.string().max(512), digest: z.string().max(128).optional() })).max(128),
  /** Output of `nvattest` at boot, where the guest agent has it. */
  gpu_attestation: z
    .string()
    .max(1024 * 1024)
    .optional(),
});

export type Evidence = z.infer<typeof evidenceSchema>;
