/** A certificate authority that speaks ACME (RFC 8555), as the order code sees it. Values only: they cross RPC. */

/** What an operator or the order code can do about a failure. */
export type CaFailureKind =
  /** No answer, 5xx, or an answer that is no ACME: try again later. */
  | "unavailable"
  /** 429 or `rateLimited`: not before `retryAfterMs`. */
  | "rate-limited"
  /** The CA does not know the account any more: register it again, then start the order again. */
  | "account"
  /** The CA does not know the order (or its parts) any more, or it has expired: start it again. */
  | "gone"
  /** The CA's own refusal of what was asked; `type` says why. */
  | "refused";

export interface CaFailure {
  readonly kind: CaFailureKind;
  /** The error of RFC 8555 §6.7 without its `urn:ietf:params:acme:error:`, e.g. `rateLimited`. */
  readonly type?: string;
  /** HTTP status, if there was an answer. */
  readonly status?: number;
  /** From Retry-After. */
  readonly retryAfterMs?: number;
  /** One sentence, the CA's own where it gave one. */
  readonly detail: string;
}

export type CaAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: CaFailure };

/** RFC 8555 §7.1.3. */
export interface CaOrder {
  readonly url: string;
  readonly status: "pending" | "ready" | "processing" | "valid" | "invalid";
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
  /** When the CA has sent Retry-After. */
  readonly retryAfterMs?: number;
  readonly error?: CaFailure;
}

/** RFC 8555 §7.1.4. */
export interface CaAuthorization {
  readonly url: string;
  readonly hostname: string;
  readonly status: "pending" | "valid" | "invalid" | "deactivated" | "expired" | "revoked";
  readonly challenges: readonly CaChallenge[];
}

export type ChallengeMethod = "dns-01" | "tls-alpn-01";

export interface CaChallenge {
  readonly type: ChallengeMethod;
  readonly url: string;
  readonly status: "pending" | "processing" | "valid" | "invalid";
  /** `dns-01`: the value of the TXT record (§8.4). `tls-alpn-01`: the key authorization (RFC 8737 §3). */
  readonly response: string;
  /** Why the CA could not validate it. */
  readonly error?: CaFailure;
}

/** The window in which the CA wants a certificate renewed (RFC 9773 §4.2). Times are ms since the Unix epoch. */
export interface RenewalInfo {
  readonly from: number;
  readonly to: number;
  readonly explanationUrl?: string;
  /** When to ask again. */
  readonly retryAfterMs: number;
}

/** What a CA says of itself and of our account there. */
export interface CaDescription {
  /** The directory's URL: the CA's name everywhere in Postern. */
  readonly directory: string;
  readonly accountUri: string;
  /** Domains by which CAA records name this CA (§9.7.6 `caaIdentities`); may be empty. */
  readonly caaIdentities: readonly string[];
  /** Whether it has ARI (RFC 9773). */
  readonly renewalInfo: boolean;
}

export interface OrderRequest {
  /** Postern's own order id: the same id again is answered with the same order as long as the CA knows it. */
  readonly order: string;
  readonly hostnames: readonly string[];
  /** ARI certificate id of the certificate that this one will replace (RFC 9773 §5). */
  readonly replaces?: string;
}

/** One CA with one account. No method sleeps, retries for long, or throws; each answers within 20 s. */
export interface Ca {
  /** Registers the account if that has not been done. */
  describe(): Promise<CaAnswer<CaDescription>>;
  createOrder(request: OrderRequest): Promise<CaAnswer<CaOrder>>;
  readOrder(url: string): Promise<CaAnswer<CaOrder>>;
  readAuthorizations(urls: readonly string[]): Promise<CaAnswer<CaAuthorization[]>>;
  completeChallenge(url: string): Promise<CaAnswer<null>>;
  /** `csr` is DER. */
  finalize(order: Pick<CaOrder, "url" | "finalize">, csr: Uint8Array<ArrayBuffer>): Promise<CaAnswer<CaOrder>>;
  /** The PEM chain, leaf first. */
  download(certificateUrl: string): Promise<CaAnswer<string>>;
  /** Undefined when the CA has no ARI. */
  renewalInfo(certificateId: string): Promise<CaAnswer<RenewalInfo | undefined>>;
}
