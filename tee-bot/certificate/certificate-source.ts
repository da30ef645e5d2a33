/** Where certificates come from: the edge's order (`edge-orders.ts`), or one of this node's own (`own-orders.ts`). */
import type { Trouble } from "../../shared/acme/ports.ts";
import type { RenewalPlan } from "../../shared/registry/messages.ts";
import type { Certificate } from "./certificate.ts";

export interface CertificateSource {
  /**
   * Follows an order to its end. Called again with the same request after a failure or a crash, it goes on where the
   * order was. Throws {@link AppError} when it cannot go on now.
   */
  obtain(request: CertificateRequest, hooks: OrderHooks): Promise<OrderEnd>;
  /** When the certificate held is to be renewed; undefined while nobody says. Throws when it cannot be asked. */
  plan(held: HeldCertificate, signal: AbortSignal): Promise<RenewalPlan | undefined>;
}

export interface CertificateRequest {
  readonly id: string;
  /** PEM. */
  readonly csr: string;
  readonly hostnames: readonly string[];
  /** What the source has last saved; empty at the beginning. */
  readonly progress: string;
  readonly replaces: HeldCertificate | undefined;
}

export interface HeldCertificate {
  readonly certificate: Certificate;
  /** The ACME directory it came from; undefined for another CA, or when that is not known any more. */
  readonly directory: string | undefined;
  readonly renewal: RenewalPlan | undefined;
}

export interface OrderHooks {
  readonly signal: AbortSignal;
  /** What is waited for, in words, and what has gone wrong so far. */
  readonly tell: (words: string, trouble: Trouble | undefined) => void;
  readonly save: (progress: string) => void;
}

export type OrderEnd =
  | { readonly status: "valid"; readonly chain: string; readonly directory?: string; readonly renewal?: RenewalPlan }
  | { readonly status: "invalid"; readonly trouble: Trouble };
