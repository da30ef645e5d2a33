/**
 * A receipt: what came in, what went to whom and what went out in one call, as hashes, signed by a key that the node's
 * quote binds. `aci/1` (private-ai-gateway, spec/aci.md §7). Events whose type begins with `postern.` are ours.
 */
import canonicalize from "canonicalize";
import type { aciVersion } from "../../../shared/attestation/aci-statement.ts";

export type ReceiptEvent =
  | { readonly type: "request.received" | "request.forwarded" | "response.returned"; readonly body_hash: string }
  | {
      readonly type: "upstream.verified";
      readonly result: "verified";
      readonly required: boolean;
      readonly model_id: string;
      readonly session_id: string;
    }
  | {
      readonly type: "upstream.verified";
      readonly result: "failed";
      readonly required: boolean;
      readonly model_id: string;
      readonly upstream_name: string;
      readonly reason: string;
    }
  /** One for each provider that was asked, also those that did not answer: they have seen the prompt too. */
  | {
      readonly type: "postern.attempted";
      readonly upstream_name: string;
      readonly model_id: string;
      readonly location: string;
      readonly body_hash: string;
    };

/** Everything but the signature. */
export interface ReceiptDocument {
  readonly api_version: typeof aciVersion;
  readonly receipt_id: string;
  /** The answer's own id, where it has one. */
  readonly chat_id: string | null;
  readonly model: string | null;
  readonly workload_keyset_digest: string;
  readonly endpoint: string;
  readonly method: "POST";
  /** Seconds since 1970. */
  readonly served_at: number;
  readonly event_log: readonly ReceiptEvent[];
  readonly key_id: string;
}

/** The document with its signature (RFC 8032, hex) over its JCS form. */
export function signReceipt(
  document: ReceiptDocument,
  sign: (bytes: Uint8Array) => Uint8Array,
): ReceiptDocument & { readonly signature: string } {
  const signature = sign(Buffer.from(canonicalize(document) ?? ""));
  return { ...document, signature: Buffer.from(signature).toString("hex") };
}
