import type { Issuer as IssuerDescription } from "../../shared/registry/messages.ts";

/** What an issuer is given: a request that was checked, and what it noted itself in an earlier step. */
export interface PendingOrder {
  readonly id: string;
  /** DER. */
  readonly csr: Uint8Array<ArrayBuffer>;
  readonly hostnames: readonly string[];
  /** Empty before the first step. */
  readonly progress: string;
}

/** `processing` keeps `progress` and asks to be called again; `valid` and `invalid` are the end. */
export type IssuerStep =
  | { readonly status: "valid"; readonly certificate: string; readonly notBefore: number; readonly notAfter: number }
  | { readonly status: "invalid"; readonly detail: string }
  | { readonly status: "processing"; readonly progress: string; readonly retryAfterMs: number };

/**
 * Who signs certificates. An order is moved step by step: each returns soon and never sleeps, what it says is stored
 * before the next one, and a step may run again after a crash. A step that throws is tried again later.
 */
export interface Issuer {
  describe(): IssuerDescription;
  step(order: PendingOrder): Promise<IssuerStep>;
}
