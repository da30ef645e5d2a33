import { z } from "zod";
import type { Clock } from "../../../shared/clock.ts";
import { getNear, NearUnavailable, parseJson, type NearApi } from "./near-api.ts";
import { signingAlgorithms, type SigningAlgorithm } from "./signing-key.ts";

const maxSignatureBytes = 64 * 1024;
const signatureTimeoutMs = 10_000;
/** It is stored after the answer has gone out, so that the first question may come before it. */
const retryMs = [200, 500, 1_000, 2_000, 4_000];

const hex = z
  .string()
  .max(1_024)
  .transform((text) => text.replace(/^0x/i, "").toLowerCase())
  .pipe(z.string().regex(/^(?:[0-9a-f]{2})+$/));

const signatureSchema = z.object({
  text: z.string().max(4_096),
  signature: hex,
  signing_address: hex,
  signing_algo: z
    .string()
    .transform((text) => text.toLowerCase())
    .pipe(z.enum(signingAlgorithms)),
  /** Absent in signatures of before there were two kinds. */
  signature_kind: z.string().max(64).optional(),
});

export type AnswerSignature = z.infer<typeof signatureSchema>;

/** Why there is none, although NEAR was asked. */
export interface NoSignature {
  readonly absent: string;
}

export interface SignatureQuestion {
  readonly api: NearApi;
  /** The `id` of the answer. */
  readonly answer: string;
  readonly model: string;
  readonly algorithm: SigningAlgorithm;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks for the signature of one answer, for some seconds when there is none yet. Throws {@link NearUnavailable}. */
export async function fetchSignature(question: SignatureQuestion): Promise<AnswerSignature | NoSignature> {
  const { api, answer, model, algorithm, clock, signal } = question;
  const query = new URLSearchParams({ model, signing_algo: algorithm });
  const path = `/signature/${encodeURIComponent(answer)}?${query.toString()}`;
  for (const restMs of [...retryMs, undefined]) {
    const either = AbortSignal.any([signal, AbortSignal.timeout(signatureTimeoutMs)]);
    const { status, bytes } = await getNear(api, path, { maxBytes: maxSignatureBytes, signal: either });
    if (status === 200) return parseSignature(parseJson(bytes));
    if (status !== 404) throw new NearUnavailable(`NEAR's API answers the request for a signature with ${status}.`);
    if (restMs !== undefined) await clock.sleep(restMs, signal);
  }
  return { absent: "NEAR has no signature of this answer." };
}

const unavailable = z.object({ error_code: z.string().regex(/^\w{1,64}$/) });

/** A 200 may say that there is none. */
function parseSignature(value: unknown): AnswerSignature | NoSignature {
  const { data } = signatureSchema.safeParse(value);
  if (data) return data;
  const code = unavailable.safeParse(value).data?.error_code;
  return { absent: code === undefined ? "What NEAR answers is no signature." : `NEAR has no signature: ${code}.` };
}
