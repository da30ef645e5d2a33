/** One ACME order, moved step by step. */
import type { OrderParts, Trouble } from "./ports.ts";

export interface AcmeOrder {
  readonly id: string;
  readonly node: string;
  /** DER. */
  readonly csr: Uint8Array<ArrayBuffer>;
  readonly hostnames: readonly string[];
  /** The certificate to be replaced, if there is one: its directory and ARI certificate id (RFC 9773 §4.1). */
  readonly replaces?: { readonly directory: string; readonly certificateId: string };
  /** What the step before has returned; empty before the first. */
  readonly progress: string;
}

/** `processing` keeps `progress` and asks to be called again; `valid` and `invalid` are the end. */
export type OrderStep =
  | {
      readonly status: "processing";
      readonly progress: string;
      readonly retryAfterMs: number;
      /** For a person: "waiting for DNS: 1 of 2 resolvers see it, next look in 8 s". */
      readonly words: string;
      readonly trouble?: Trouble;
    }
  | {
      readonly status: "valid";
      /** PEM chain, leaf first. */
      readonly certificate: string;
      readonly notBefore: number;
      readonly notAfter: number;
      /** The CA's directory; undefined for a local CA. */
      readonly directory?: string;
    }
  | { readonly status: "invalid"; readonly trouble: Trouble };

/** Makes the next step of an order: one side effect at most, and no sleeping. */
export declare function stepOrder(order: AcmeOrder, parts: OrderParts): Promise<OrderStep>;
