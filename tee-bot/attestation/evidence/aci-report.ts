/** The attestation report of Attested Confidential Inference (`aci/1` §4), so that its clients verify this node as they are. */
import { aciVersion } from "../../../shared/attestation/aci-statement.ts";
import type { Custody, QuoteEvidence } from "../../../shared/attestation/evidence.ts";
import type { SealedKeyset } from "./keyset.ts";

export interface AciReportParts {
  readonly sealed: SealedKeyset;
  /** 64 bytes, hex. */
  readonly reportData: string;
  readonly evidence: QuoteEvidence;
  readonly custody: readonly Custody[];
  readonly images: readonly { readonly image: string; readonly digest?: string | undefined }[];
  /** The name by which the report was asked for. */
  readonly domain: string | undefined;
  readonly simulated: boolean;
}

export function aciReport({
  sealed,
  reportData,
  evidence,
  custody,
  images,
  domain,
  simulated,
}: AciReportParts): object {
  const { keyset, digest } = sealed;
  const binding = keyset.tls_public_keys.find((key) => key.domain === domain);
  const [only, another] = images;
  return {
    api_version: aciVersion,
    workload_keyset_digest: `sha256:${digest}`,
    attestation: {
      tee_type: "tdx",
      workload_keyset: keyset,
      report_data: reportData.slice(0, 64),
      source_provenance: {
        repo_url: null,
        repo_commit: null,
        // Which of several is this node's own, the measured text does not say.
        image_digest: (another === undefined && only?.digest) || null,
        image_provenance: null,
      },
      evidence: {
        simulated,
        quote: evidence.quote,
        quote_report_data: reportData,
        event_log: evidence.event_log,
        ...(evidence.app_compose !== undefined && { app_compose: evidence.app_compose }),
        ...(evidence.vm_config !== undefined && { vm_config: evidence.vm_config }),
        key_custody: {
          provider: "dstack-kms",
          keys: custody.map((one) => ({
            role: one.key,
            path: one.path,
            purpose: one.purpose,
            algo: one.algorithm,
            public_key: one.public_key,
            // The key provider's chain is for this one, which has signed for the other.
            kms_public_key: one.derived_key,
            kms_signature: one.signature,
            signature_chain: one.signature_chain,
          })),
        },
        ...(binding && { downstream_tls_binding: { domain: binding.domain, spki_sha256: binding.spki_sha256 } }),
      },
    },
    service_capabilities: { supported_e2ee_versions: [], serving: "aggregator", simulated },
  };
}
