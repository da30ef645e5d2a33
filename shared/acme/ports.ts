/** What an ACME order needs of its surroundings, besides the CA itself. */
import type { Ca } from "./ca.ts";
import type { Clock } from "../clock.ts";

/** A problem a person can do something about. */
export interface Trouble {
  /** What happened and why: one sentence. */
  readonly detail: string;
  /** What to do: one sentence. */
  readonly remedy: string;
}

export interface ChallengeRecord {
  /** The name to be validated; the TXT record stands at `_acme-challenge.` before it. */
  readonly hostname: string;
  readonly value: string;
}

/** How far the TXT records of an order are. */
export type Presented =
  | { readonly state: "written" }
  /** Still being tried; `trouble` when a try has failed. */
  | { readonly state: "pending"; readonly retryAfterMs: number; readonly trouble?: Trouble };

/** Where TXT records for `dns-01` are written. Both methods may be called again at any time. */
export interface ChallengeRecords {
  /** All the records of an order; waits a moment for them to be written, so that `written` is the usual answer. */
  present(order: string, records: readonly ChallengeRecord[]): Promise<Presented>;
  withdraw(order: string): Promise<void>;
}

/** What one DNS server says of the records that are waited for. */
export interface Sighting {
  /** Its URL or address. */
  readonly server: string;
  readonly kind: "resolver" | "authority";
  /** `unreachable`: it did not answer, or not with DNS. */
  readonly sees: "all" | "not-all" | "unreachable";
}

/** Looks at TXT records from outside, as the CA will. Answers within 10 s and never throws. */
export interface Propagation {
  look(records: readonly ChallengeRecord[]): Promise<readonly Sighting[]>;
}

/** Whether an order may be opened now, or its place in the queue of those that wait. */
export type Admission =
  | { readonly admitted: true }
  | {
      readonly admitted: false;
      /** 1 is the next. */
      readonly place: number;
      /** When it will be admitted as things stand (ms since the Unix epoch). */
      readonly estimatedAt: number;
      readonly retryAfterMs: number;
    };

/** What a CA allows within a week and an hour, shared by all nodes of a zone. */
export interface Admissions {
  /** `queue`: keep a place in the queue when it is not admitted now. The same order again keeps its place. */
  admit(request: AdmissionRequest, options: { queue: boolean }): Promise<Admission>;
  /** The order has come to its end; a failed one gives its certificate back to the budget. May come twice. */
  settle(order: string, outcome: "issued" | "failed"): Promise<void>;
}

export interface AdmissionRequest {
  readonly order: string;
  readonly node: string;
  readonly hostnames: readonly string[];
  /** The renewal of a certificate under ARI, which CAs exempt from their limits. */
  readonly exempt: boolean;
}

/** The answer to the CA's `tls-alpn-01` validation (RFC 8737), where this process can give it. */
export interface AlpnResponder {
  present(hostname: string, keyAuthorization: string): Promise<void>;
  withdraw(hostname: string): void;
}

/** One CA of the configured ones, in the order of preference. */
export interface Issuing {
  readonly directory: string;
  readonly ca: Ca;
  readonly admissions: Admissions;
}

export interface OrderParts {
  /** At least one; the first is preferred, the others take what its budget has no room for. */
  readonly issuing: readonly Issuing[];
  readonly records: ChallengeRecords;
  readonly propagation: Propagation;
  /** Absent where only DNS is possible, as at the edge. */
  readonly alpn?: AlpnResponder;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}
