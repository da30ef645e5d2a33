/** What a node's object tells the zone's object, and what it is told of its records. */
import type { Trouble } from "../../shared/acme/ports.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Every record that a node should have, challenges apart. Newer ones replace older ones entirely. */
export interface DnsPublication {
  readonly node: NodeId;
  /** Counts every change of the node's object: an older one than the last has no effect. */
  readonly revision: number;
  readonly records: readonly DnsRecord[];
}

export interface DnsStatus {
  /** `failing`: it cannot be written as things stand; `trouble` says why. */
  readonly state: "written" | "pending" | "failing";
  /** Records wanted for the node. */
  readonly records: number;
  readonly words: string;
  readonly trouble?: Trouble;
}
