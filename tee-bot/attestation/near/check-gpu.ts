import { z } from "zod";
import { failed, skip, type Check } from "../../../shared/attestation/check.ts";
import { readBytes } from "../../../shared/bytes.ts";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import { decideGpu, jwksSchema, nrasAnswerSchema } from "./nras-token.ts";

export const nvidiaService = "https://nras.attestation.nvidia.com";

const nrasTimeoutMs = 20_000;
const maxAnswerBytes = 1024 * 1024;
const id = "model-gpu";

export interface GpuOptions {
  /** Of NVIDIA's service; it is also who issues its tokens. */
  readonly service: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const payloadSchema = z.object({ nonce: z.string() });

/** Has NVIDIA's service judge the evidence of a machine's GPUs; skipped with the reason when it does not. */
export async function checkGpu(payload: string, nonce: Uint8Array, options: GpuOptions): Promise<Check> {
  const said = payloadSchema.safeParse(parseJson(Buffer.from(payload))).data;
  if (!said) return failed(id, "The evidence of the GPU is not in NVIDIA's form.");
  if (said.nonce.replace(/^0x/i, "").toLowerCase() !== Buffer.from(nonce).toString("hex"))
    return failed(id, "The evidence of the GPU answers another nonce than the one that was sent.");
  try {
    const judgement = await ask(options, "/v3/attest/gpu", payload);
    if (typeof judgement === "number")
      return skip(id, `NVIDIA's service does not judge the evidence: it answers ${judgement}.`);
    const answer = nrasAnswerSchema.safeParse(judgement).data;
    const keys = jwksSchema.safeParse(await ask(options, "/.well-known/jwks.json")).data;
    if (!answer || !keys) return skip(id, "What NVIDIA's service answers is not understood.");
    const now = Math.floor(options.clock.now() / 1_000);
    return decideGpu(answer, { keys, issuer: options.service, nonce, now });
  } catch (error) {
    return skip(id, `NVIDIA's service cannot be asked: ${errorText(error)}`);
  }
}

/** What it answers, or with which status other than 200. */
async function ask({ service, fetch, signal }: GpuOptions, path: string, body?: string): Promise<unknown> {
  const response = await fetch(service + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body }),
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(nrasTimeoutMs)]),
  });
  const bytes = await readBytes(response, maxAnswerBytes);
  if (response.status !== 200) return response.status;
  return bytes && parseJson(bytes);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
