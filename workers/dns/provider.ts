/** Who holds the zone's records: `cloudflare`, or `memory` for development. One behaviour suite for both. */
import type { DnsRecord } from "../../shared/dns/record.ts";

export interface StoredRecord extends DnsRecord {
  /** The provider's own id. */
  readonly id: string;
  readonly comment: string;
}

export interface NewRecord extends DnsRecord {
  /** Marks the record as ours (≤ 100 characters). */
  readonly comment: string;
}

export interface RecordChanges {
  /** Ids. */
  readonly deletes: readonly string[];
  readonly posts: readonly NewRecord[];
}

export interface RecordPage {
  readonly records: readonly StoredRecord[];
  /** Undefined at the last page. */
  readonly next: string | undefined;
}

export type ProviderFailureKind =
  /** No answer, 5xx, or an answer that is none of its own: try again later. */
  | "unavailable"
  | "rate-limited"
  /** The token has not the rights, or is no token. */
  | "unauthorized"
  /** The zone has as many records as it may. */
  | "quota"
  /** A record of the batch exists already, or one to be deleted does not: look at the names again. */
  | "conflict"
  /** It will not take one of the records. */
  | "refused";

/** Thrown by every method of a provider, and nothing else is. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly kind: ProviderFailureKind;
  readonly retryAfterMs: number | undefined;

  constructor(kind: ProviderFailureKind, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface DnsProvider {
  /** Records at a batch; a larger one has to be split. */
  readonly maxBatch: number;
  /** All records at one name. */
  at(name: string): Promise<readonly StoredRecord[]>;
  /** All records of the zone, page by page. */
  page(cursor: string | undefined): Promise<RecordPage>;
  /** All of it or nothing. The records that were made. */
  apply(changes: RecordChanges): Promise<readonly StoredRecord[]>;
}
