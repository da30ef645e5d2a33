import type { NodeRecord } from "./lease.ts";
import { certificateOf } from "../certificate/order-answer.ts";
import type { StoredOrder } from "../certificate/order-store.ts";
import type { DnsStatus } from "../dns/publication.ts";
import { parseCaa } from "../../shared/dns/caa.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import type { NodeView, Path } from "../../shared/registry/messages.ts";

export interface NodeFacts {
  readonly record: NodeRecord;
  readonly hostnames: readonly string[];
  /** Newest first. */
  readonly orders: readonly StoredOrder[];
  readonly dns: DnsStatus;
  /** Those that are wanted in the zone. */
  readonly records: readonly DnsRecord[];
  readonly paths: readonly Path[];
  /** What somebody has to look at, the zone's apart. */
  readonly troubles: readonly (Trouble | undefined)[];
  readonly now: number;
}

/** As many as a view may name. */
const maxAccounts = 16;

/** What the edge knows of a node, for the node and its person. */
export function nodeViewOf({ record, hostnames, orders, dns, records, paths, troubles, now }: NodeFacts): NodeView {
  const { node, epoch, state, expiresAt } = record;
  return {
    node,
    epoch,
    state,
    hostnames: [...hostnames],
    expiresAt,
    certificates: orders.map((order) => certificateOf(order, now)),
    dns: { state: dns.state, records: dns.records, words: dns.words },
    accounts: accountsIn(records),
    paths: [...paths],
    troubles: [dns.trouble, ...troubles].filter((trouble) => trouble !== undefined),
  };
}

/** What CAA records of ours name, as `wantedCaa` has written it. */
function accountsIn(records: readonly DnsRecord[]): string[] {
  const uris = records.flatMap(({ type, content }) => {
    const uri = type === "CAA" ? parseCaa(content)?.parameters["accounturi"] : undefined;
    return uri === undefined ? [] : [unescape(uri)];
  });
  return [...new Set(uris)].slice(0, maxAccounts);
}

function unescape(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri; // it had a lone % before
  }
}
