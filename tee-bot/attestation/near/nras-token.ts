/**
 * Tokens of NVIDIA's attestation service (NRAS): JWTs, ES384, whose keys it publishes. By hand rather than with a JWT
 * library, since there is one issuer and one algorithm, and nothing that a token says may choose another.
 * https://docs.nvidia.com/attestation/nv-attestation-sdk-cpp/latest/sdk-c/claims_schema.html
 */
import { createHash, createPublicKey, verify } from "node:crypto";
import { z } from "zod";
import { failed, pass, skip, type Check } from "../../../shared/attestation/check.ts";

const maxTokenLength = 256 * 1024;
/** Of clocks that differ. */
const leewaySeconds = 60;

const token = z.string().max(maxTokenLength);
/** The verdict, then a token for each GPU. */
export const nrasAnswerSchema = z.tuple([z.tuple([z.literal("JWT"), token]), z.record(z.string(), token)]);
export type NrasAnswer = z.infer<typeof nrasAnswerSchema>;

const jwkSchema = z.object({
  kid: z.string(),
  kty: z.literal("EC"),
  crv: z.literal("P-384"),
  x: z.string(),
  y: z.string(),
});
export const jwksSchema = z.object({ keys: z.array(z.unknown()).max(64) });
export type Jwks = z.infer<typeof jwksSchema>;

const headerSchema = z.object({ alg: z.literal("ES384"), kid: z.string() });
const claimsSchema = z.looseObject({
  iss: z.string(),
  exp: z.number(),
  nbf: z.number().optional(),
  eat_nonce: z.string(),
});
type Claims = z.infer<typeof claimsSchema>;

export interface NrasExpectation {
  readonly keys: Jwks;
  readonly issuer: string;
  /** Ours, 32 bytes. */
  readonly nonce: Uint8Array;
  /** Seconds since 1970. */
  readonly now: number;
}

const id = "model-gpu";
const digests = z.record(z.string(), z.tuple([z.literal("DIGEST"), z.tuple([z.string(), z.string()])]));

/** What the service's answer says of the GPUs. A key that is not among those it publishes makes it neither good nor bad. */
export function decideGpu([[, overall], gpus]: NrasAnswer, expected: NrasExpectation): Check {
  const verdict = readToken(overall, expected);
  if (typeof verdict === "string") return judged(verdict);
  const submodules = digests.safeParse(verdict["submods"]).data ?? {};
  const names = Object.keys(submodules);
  if (names.length === 0) return failed(id, "NVIDIA's token names no GPU.");
  for (const name of names) {
    const text = gpus[name];
    const [algorithm, digest] = submodules[name]![1];
    if (text === undefined || algorithm !== "SHA-256" || sha256(text) !== digest.toLowerCase())
      return failed(id, `NVIDIA's token of ${name} is not the one that its verdict is about.`);
    const claims = readToken(text, expected);
    if (typeof claims === "string") return judged(claims);
  }
  if (verdict["x-nvidia-overall-att-result"] !== true)
    return failed(id, "NVIDIA's service refuses the GPU's evidence.");
  return pass(id, `NVIDIA's service accepts the evidence of ${names.length} GPU${names.length > 1 ? "s" : ""}.`);
}

const unknownKey = "unknown key";

function judged(fault: string): Check {
  if (fault === unknownKey) return skip(id, "NVIDIA's token is signed by a key that its service does not publish.");
  return failed(id, `NVIDIA's token is not good: ${fault}.`);
}

/** The claims of a token that is good; else what is wrong with it. */
function readToken(text: string, { keys, issuer, nonce, now }: NrasExpectation): Claims | string {
  const [head = "", body = "", signature = "", ...more] = text.split(".");
  const header = headerSchema.safeParse(parsePart(head)).data;
  const claims = claimsSchema.safeParse(parsePart(body)).data;
  if (more.length > 0 || !header || !claims) return "it is no token of ES384";
  const jwk = keys.keys.map((key) => jwkSchema.safeParse(key).data).find((key) => key?.kid === header.kid);
  if (!jwk) return unknownKey;
  if (!isSigned(`${head}.${body}`, signature, jwk)) return "its signature is wrong";
  if (claims.iss !== issuer) return "somebody else has issued it";
  if (now > claims.exp + leewaySeconds) return "it has expired";
  if (claims.nbf !== undefined && now < claims.nbf - leewaySeconds) return "it is not valid yet";
  if (claims.eat_nonce.toLowerCase() !== Buffer.from(nonce).toString("hex")) return "it answers another nonce";
  return claims;
}

function isSigned(signed: string, signature: string, jwk: z.infer<typeof jwkSchema>): boolean {
  try {
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const options = { key, dsaEncoding: "ieee-p1363" } as const; // RFC 7518 §3.4
    return verify("sha384", Buffer.from(signed), options, Buffer.from(signature, "base64url"));
  } catch {
    return false; // the key is no point of the curve
  }
}

function parsePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString());
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
