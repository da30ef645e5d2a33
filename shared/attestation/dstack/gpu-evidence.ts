/**
 * The GPU's evidence that the guest took at boot (`nvattest`). Its tokens are unsigned (`alg: none`): what makes it worth
 * something is that the operating system measured its digest before the application ran.
 */
import { z } from "zod";
import { toHex } from "../../hex.ts";
import { parseJson } from "../../parse-json.ts";

export type GpuVerdict = { readonly fault: string } | { readonly gpus: readonly string[] };

const measuredSchema = z.object({ evidence_sha256: z.string() });
const outputSchema = z.object({
  claims: z
    .array(z.looseObject({ measres: z.string(), hwmodel: z.string().max(128).default("GPU") }))
    .min(1)
    .max(64),
});

/** `measured`: payload of the event `gpu-attestation`; `shown`: the exact text that the node shows. */
export async function judgeGpuEvidence(measured: Uint8Array, shown: string): Promise<GpuVerdict> {
  const digest = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(shown))));
  if (readDigest(measured) !== digest)
    return { fault: "The GPU evidence shown is not the one that was measured at boot." };
  const output = outputSchema.safeParse(parseJson(shown));
  if (!output.success) return { fault: "The GPU evidence that was measured at boot has no claims of a GPU." };
  const { claims } = output.data;
  if (!claims.every(({ measres }) => measres === "success"))
    return { fault: "NVIDIA's tool refused a GPU's measurements at boot." };
  return { gpus: claims.map(({ hwmodel }) => hwmodel) };
}

/** The event has the digest itself, in bytes or in hex, or a JSON text that names it. */
function readDigest(measured: Uint8Array): string | undefined {
  if (measured.length === 32) return toHex(measured);
  const text = new TextDecoder().decode(measured);
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  return measuredSchema.safeParse(parseJson(text)).data?.evidence_sha256;
}
