/**
 * What NEAR AI Cloud answers to `GET /v1/attestation/report` (nearai/cloud-api, crates/services/src/attestation): evidence
 * of its gateway, and of each machine that runs the model. Nothing in it is believed as such.
 */
import { z } from "zod";
import { quoteEvidenceSchema, type QuoteEvidence } from "../../../shared/attestation/evidence.ts";
import { signingAlgorithms, type SigningKey } from "./signing-key.ts";

/** A report has some 240 kB, most of it the GPUs' evidence and certificates. */
export const maxReportBytes = 8 * 1024 * 1024;
const maxModels = 64;
const maxGpuLength = 4 * 1024 * 1024;

/** Evidence of one confidential VM, and the key that it says is its own. */
export interface NearEvidence {
  readonly key: SigningKey;
  /** Hex, as it is said; undefined: not said. */
  readonly publicKey: string | undefined;
  /** SHA-256 of the key of the VM's certificate, hex; undefined: the quote does not name one. */
  readonly fingerprint: string | undefined;
  readonly model: string | undefined;
  /** What NVIDIA's service is to judge, JSON text. */
  readonly gpu: string | undefined;
  readonly quote: QuoteEvidence;
}

/** Why a part of a report is not evidence. */
export interface Unreadable {
  readonly unreadable: string;
}

export interface NearReport {
  readonly gateway: NearEvidence | Unreadable;
  readonly models: readonly (NearEvidence | Unreadable)[];
}

const hex = z
  .string()
  .max(128 * 1024)
  .transform((text) => text.replace(/^0x/i, "").toLowerCase())
  .pipe(z.string().regex(/^(?:[0-9a-f]{2})+$/));

const algorithm = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(signingAlgorithms));

/** In some versions the guest agent's JSON texts stand as they are, in others parsed. */
const tcbInfo = z.union([z.string().transform(parseObject), z.unknown()]).pipe(z.object({ app_compose: z.string() }));

const entrySchema = z
  .object({
    signing_address: hex,
    signing_algo: algorithm,
    signing_public_key: hex.nullish(),
    intel_quote: hex,
    event_log: z.union([z.string(), z.array(z.unknown()).transform((events) => JSON.stringify(events))]),
    tls_cert_fingerprint: hex.nullish(),
    nvidia_payload: z.string().max(maxGpuLength).nullish(),
    model_name: z.string().max(512).nullish(),
    info: z
      .object({ tcb_info: tcbInfo.nullish().catch(undefined), vm_config: z.string().nullish().catch(undefined) })
      .nullish(),
  })
  .transform((entry, context): NearEvidence => {
    const { data, error } = quoteEvidenceSchema.safeParse({
      quote: entry.intel_quote,
      event_log: entry.event_log,
      app_compose: entry.info?.tcb_info?.app_compose,
      vm_config: entry.info?.vm_config ?? undefined,
    });
    if (error) context.addIssue({ code: "custom", path: error.issues[0]?.path ?? [], message: "is too long" });
    if (!data) return z.NEVER;
    return {
      key: { algorithm: entry.signing_algo, address: entry.signing_address },
      publicKey: entry.signing_public_key ?? undefined,
      fingerprint: entry.tls_cert_fingerprint ?? undefined,
      model: entry.model_name ?? undefined,
      gpu: entry.nvidia_payload ?? undefined,
      quote: data,
    };
  });

const reportSchema = z.object({
  gateway_attestation: z.unknown().optional(),
  model_attestations: z.array(z.unknown()).max(maxModels).nullish(),
});

/** Undefined: it is no report at all. */
export function parseNearReport(value: unknown): NearReport | undefined {
  const { data } = reportSchema.safeParse(value);
  if (!data) return undefined;
  return { gateway: parseEntry(data.gateway_attestation), models: (data.model_attestations ?? []).map(parseEntry) };
}

function parseEntry(value: unknown): NearEvidence | Unreadable {
  const { data, error } = entrySchema.safeParse(value);
  if (data) return data;
  const field = error?.issues[0]?.path.join(".") ?? "";
  return { unreadable: field === "" ? "There is no evidence." : `Its ${field} is missing or not what it should be.` };
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
