/** What a node's object tells other objects, through its outbox. */
import { withDeadline } from "../deadline.ts";
import type { DnsPublication } from "../dns/publication.ts";
import { dnsZone } from "../dns/zone-stub.ts";
import type { Env } from "../env.ts";
import type { Publication } from "../routing/publication.ts";
import { hub, shardOf } from "../routing/shards.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export type NodeMessage =
  | { readonly kind: "publish"; readonly shard: number; readonly publication: Publication }
  | {
      readonly kind: "release";
      readonly alias: string;
      readonly hostname: string;
      readonly owner: NodeId;
      readonly revision: number;
    }
  | { readonly kind: "dns"; readonly publication: DnsPublication }
  | { readonly kind: "withdraw"; readonly node: NodeId; readonly order: string };

/** Requests wait for deliveries; the zone's object, which only takes note, holds none up for long. */
const zoneDeadlineMs = 2_000;

/** Throws when it has not arrived. */
export async function deliver(message: NodeMessage, env: Env, zone: string): Promise<void> {
  switch (message.kind) {
    case "publish":
      return withDeadline(hub(env, message.shard).publish(message.publication), "The hub");
    case "release":
      return withDeadline(hub(env, shardOf(message.hostname)).releaseAlias(message), "The hub");
    case "dns":
      return withDeadline(dnsZone(env, zone).publish(message.publication), "The zone's object", zoneDeadlineMs);
    case "withdraw":
      return withDeadline(dnsZone(env, zone).withdraw(message), "The zone's object", zoneDeadlineMs);
  }
}
