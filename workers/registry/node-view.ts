import type { NodeRecord } from "./lease.ts";
import { certificateOf } from "../certificate/order-answer.ts";
import type { StoredOrder } from "../certificate/order-store.ts";
import type { DnsStatus } from "../dns/publication.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import type { NodeView, Path } from "../../shared/registry/messages.ts";

export interface NodeFacts {
  readonly record: NodeRecord;
  readonly hostnames: readonly string[];
  /** Newest first. */
  readonly orders: readonly StoredOrder[];
  readonly dns: DnsStatus;
  readonly paths: readonly Path[];
  /** What somebody has to look at, the zone's apart. */
  readonly troubles: readonly (Trouble | undefined)[];
  readonly now: number;
}

/** What the edge knows of a node, for the node and its person. */
export function nodeViewOf({ record, hostnames, orders, dns, paths, troubles, now }: NodeFacts): NodeView {
  const { node, epoch, state, expiresAt } = record;
  return {
    node,
    epoch,
    state,
    hostnames: [...hostnames],
    expiresAt,
    certificates: orders.map((order) => certificateOf(order, now)),
    dns: { state: dns.state, records: dns.records, words: dns.words },
    paths: [...paths],
    troubles: [dns.trouble, ...troubles].filter((trouble) => trouble !== undefined),
  };
}
