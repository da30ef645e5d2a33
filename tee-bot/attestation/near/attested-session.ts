/**
 * What was verified of an upstream, as a document that receipts can cite: `aci/1` (private-ai-gateway, spec/aci.md §8). Its
 * id is the SHA-256 of its JCS form, so nobody can put another one in its place.
 */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

export const claimNames = [
  "gpu_attested",
  "model_weights_provenance",
  "os_known_good",
  "serving_software_known_good",
  "tcb_up_to_date",
  "tee_attested",
] as const;
export type ClaimName = (typeof claimNames)[number];

/** Only what was seen is asserted, with the reason. */
export type Claim =
  | { readonly status: "unknown" }
  | { readonly status: "asserted"; readonly source: "hardware_proven"; readonly reason: string };

export interface SessionFacts {
  readonly upstreamName: string;
  readonly verifierId: string;
  readonly endpoint: string;
  /** TLS keys to which calls are held; none where they are not. */
  readonly channelBinding: readonly { readonly origin: string; readonly spkiSha256: string }[];
  readonly asserted: Partial<Record<ClaimName, string>>;
  /** Raw facts, for people. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** Seconds since 1970. */
  readonly establishedAt: number;
  readonly expiresAt: number;
  readonly evidence: { readonly mediaType: string; readonly bytes: Uint8Array };
}

export interface AttestedSession {
  readonly id: string;
  readonly document: object;
}

export function attestedSession(facts: SessionFacts): AttestedSession {
  const { evidence, channelBinding, asserted, extra } = facts;
  const claims = claimNames.map((name): [ClaimName, Claim] => {
    const reason = asserted[name];
    return [
      name,
      reason === undefined ? { status: "unknown" } : { reason, source: "hardware_proven", status: "asserted" },
    ];
  });
  const document = {
    api_version: "aci/1",
    upstream_name: facts.upstreamName,
    verifier_id: facts.verifierId,
    endpoint: facts.endpoint,
    channel_binding: channelBinding.map(({ origin, spkiSha256 }) => ({
      type: "tls_spki_sha256",
      origin,
      spki_sha256: spkiSha256,
    })),
    claims: { ...Object.fromEntries(claims), extra },
    established_at: facts.establishedAt,
    expires_at: facts.expiresAt,
    evidence: {
      data: `data:${evidence.mediaType};base64,${Buffer.from(evidence.bytes).toString("base64")}`,
      digest: `sha256:${createHash("sha256").update(evidence.bytes).digest("hex")}`,
    },
  };
  return {
    id: createHash("sha256")
      .update(canonicalize(document) ?? "")
      .digest("hex"),
    document,
  };
}
