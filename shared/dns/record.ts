/** DNS records as Postern wants them and finds them. */

export type RecordType = "A" | "AAAA" | "TXT" | "CAA";

export interface DnsRecord {
  /** Fully qualified, lower case, without the dot at the end. */
  readonly name: string;
  readonly type: RecordType;
  /** TXT: the text without quotes. CAA: `0 issue "ca.example; validationmethods=dns-01"` (RFC 8659 §4.1.1). */
  readonly content: string;
  /** Seconds. */
  readonly ttl: number;
}

/** Where the TXT record of a challenge stands (RFC 8555 §8.4). */
export function challengeName(hostname: string): string {
  return `_acme-challenge.${hostname}`;
}
