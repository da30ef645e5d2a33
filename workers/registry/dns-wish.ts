/** Which DNS records a node should have, its challenges apart. Rules only. */
import type { NodeState } from "./lease.ts";
import { wantedCaa } from "../../shared/dns/caa.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";
import type { AccountBinding } from "../../shared/registry/messages.ts";

/** Visitors follow a node to other relays within this time. */
const addressTtlSeconds = 60;

export interface Wish {
  readonly hostnames: readonly string[];
  /** Of the node's relays, or of the fleet. */
  readonly addresses: readonly string[];
  /** Which accounts may have certificates issued; undefined while that is not known. */
  readonly accounts: readonly AccountBinding[] | undefined;
}

/** At each name: addresses, and CAA records that let these accounts issue and nobody else. */
export function decideRecords({ hostnames, addresses, accounts }: Wish): DnsRecord[] {
  return hostnames.flatMap((name) => [
    ...addresses.map((content) => addressRecord(name, content)),
    ...wantedCaa(name, accounts ?? []),
  ]);
}

function addressRecord(name: string, content: string): DnsRecord {
  return { name, type: content.includes(":") ? "AAAA" : "A", content, ttl: addressTtlSeconds };
}

/**
 * When the records of a node are to go (ms since the Unix epoch); undefined while it is up. One that comes back in time
 * finds them as they were, and so do those who have its name in a cache.
 */
export function decideEnd(
  state: NodeState,
  ends: number | undefined,
  { now, retentionMs }: { now: number; retentionMs: number },
): number | undefined {
  return state === "up" ? undefined : (ends ?? now + retentionMs);
}
