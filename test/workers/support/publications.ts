/** What nodes' objects tell the zone's object, before it arrives there. */
import { env } from "cloudflare:workers";
import { zone } from "./constants.ts";
import { inPlace } from "./surroundings.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import type { DnsPublication } from "../../../workers/dns/publication.ts";
import { deliver } from "../../../workers/registry/node-messages.ts";

export interface Publications {
  /** Of one node, oldest first. */
  of(node: NodeId): DnsPublication[];
  /** The records that a node wants by now: `name type content`, sorted. */
  lines(node: NodeId): string[];
  /** Whether the zone's object cannot be reached. */
  zoneDown: boolean;
}

/** Until the surroundings are restored. */
export function watchPublications(): Publications {
  const seen: DnsPublication[] = [];
  const publications: Publications = {
    of: (node) => seen.filter((publication) => publication.node === node),
    lines: (node) => {
      const records = publications.of(node).at(-1)?.records ?? [];
      return records.map(({ name, type, content }) => `${name} ${type} ${content}`).toSorted();
    },
    zoneDown: false,
  };
  inPlace.deliver = async (message) => {
    if (message.kind === "dns") {
      if (publications.zoneDown) throw new Error("the zone's object is away");
      seen.push(message.publication);
    }
    await deliver(message, env, zone);
  };
  return publications;
}
