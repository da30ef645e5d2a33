/**
 * What was seen of one node at one time: by us on a connection of our own, or by whoever recorded it in a proof file.
 * Looking happens before, on the network; judging comes after, and needs nothing but this.
 */
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import type { Evidence } from "../../../shared/attestation/evidence.ts";

export interface Observation {
  readonly url: string;
  /** Host of the URL, in lower case, without brackets. */
  readonly hostname: string;
  /** Where the connection led: `203.0.113.7:443`. */
  readonly address: string;
  /** Seconds since 1970, and whose clock that is, for the sentences. */
  readonly at: { readonly seconds: number; readonly clock: string };
  /** Undefined: we were there. Otherwise what only the recorder can know is not taken for seen. */
  readonly recorder: string | undefined;
  readonly connection: SeenConnection;
  readonly shown: Shown;
  /** Undefined with the reason beside it. */
  readonly collateral: SeenCollateral | undefined;
  readonly collateralProblem: string | undefined;
  readonly dns: SeenCaa;
}

export interface SeenConnection {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** PEM, the leaf first, as far as the server sent it. */
  readonly chain: readonly string[];
  /** The 32 bytes that we drew, and what the exporter gave for them on this connection; hex. */
  readonly nonce: string;
  readonly exporter: string;
  readonly certificate: CertificateTrust;
}

/** `other-name`: it is a certificate for somebody else. `untrusted`: nobody whom this machine trusts vouches for it now. */
export type CertificateTrust =
  | { readonly state: "trusted" }
  | { readonly state: "untrusted" | "other-name"; readonly problem: string };

/** What the node answered when asked for its evidence. */
export type Shown =
  | {
      readonly kind: "evidence";
      readonly evidence: Evidence;
      /** As it came, with members that this version does not know: the keyset's digest covers them. */
      readonly document: unknown;
    }
  /** An answer that is none, in one sentence. */
  | { readonly kind: "none"; readonly detail: string };

export interface SeenCollateral {
  readonly documents: Collateral;
  /** Seconds since 1970. */
  readonly retrievedAt: number;
  /** `shown by the node, from https://…`. */
  readonly source: string;
}

/** The CAA records by which a CA judges the host name, by a resolver of ours. */
export type SeenCaa =
  | { readonly state: "found"; readonly at: string; readonly contents: readonly string[]; readonly resolver: string }
  | { readonly state: "unknown"; readonly problem: string };
