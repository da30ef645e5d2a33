/** What a verifier insists on. Everything has a default, which is strict; a file may pin more. */
import { z } from "zod";
import { checkIds, type CheckId } from "./check.ts";

export const tcbStatuses = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
] as const;
export type TcbStatus = (typeof tcbStatuses)[number];

const sha384 = z.string().regex(/^[0-9a-f]{96}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const platformChecks = [
  "quote-format",
  "quote-signature",
  "collateral",
  "tcb-status",
  "td-attributes",
  "tdx-module",
] as const satisfies readonly CheckId[];
const applicationChecks = ["event-log", "compose"] as const satisfies readonly CheckId[];

/** What a quote alone must show, whoever asks and over whichever connection. */
export const quoteRequired = [...platformChecks, ...applicationChecks] as const;

export const defaultRequired = [
  "nonce",
  ...platformChecks,
  "keyset",
  "connection-key",
  "connection-exporter",
  "name",
  ...applicationChecks,
] as const satisfies readonly CheckId[];

export const policySchema = z.strictObject({
  required: z.array(z.enum(checkIds)).default([...defaultRequired]),
  /** `Revoked` can never be accepted. */
  tcb: z.array(z.enum(tcbStatuses).exclude(["Revoked"])).default(["UpToDate"]),
  /** Advisories (INTEL-SA-…) that may be open. */
  advisories: z.array(z.string()).default([]),
  /** SHA-256 of compose texts, any of which will do; undefined: any application. */
  compose: z.array(sha256).min(1).optional(),
  /** Registers of operating systems, any of which will do. */
  os: z
    .array(z.strictObject({ name: z.string(), mrtd: sha384, rtmr1: sha384, rtmr2: sha384 }))
    .min(1)
    .optional(),
  osImage: z.array(sha256).min(1).optional(),
  /** Public keys (hex, compressed secp256k1) of key providers' roots. */
  keyProviders: z
    .array(z.string().regex(/^(?:[0-9a-f]{66}|[0-9a-f]{130})$/))
    .min(1)
    .optional(),
  /** Ids of key providers as the event `key-provider` has them: of a KMS, its CA's public key (DER, hex). */
  keyProviderIds: z
    .array(z.string().regex(/^(?:[0-9a-f]{2}){1,512}$/))
    .min(1)
    .optional(),
  /** The node's identity. */
  node: sha256.optional(),
});

export type Policy = z.infer<typeof policySchema>;
export type PolicyInput = z.input<typeof policySchema>;
