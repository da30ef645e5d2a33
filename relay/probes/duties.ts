/** Which relay looks at which path: from outside, and each path by one relay. Rules only. */
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface DutyFacts {
  readonly name: string;
  /** Where the node has its tunnels; empty while that is not known. */
  readonly relays: readonly NodeId[];
  readonly self: NodeId;
  /** The other relays that live and do not drain. */
  readonly others: readonly NodeId[];
}

/**
 * Through which relays this one looks at a name. Rendezvous hashing: every relay comes to the same answer by itself, and
 * when one goes only its duties change hands. A relay is looked at by another one, where there is another.
 */
export function decideDuties({ name, relays, self, others }: DutyFacts): NodeId[] {
  if (others.length === 0) return relays.length === 0 || relays.includes(self) ? [self] : [];
  const fleet = [self, ...others];
  return relays.filter((relay) => fleet.includes(relay) && witnessOf(name, relay, fleet) === self);
}

/** Of all but `relay`, the one that draws the highest lot. */
function witnessOf(name: string, relay: NodeId, fleet: readonly NodeId[]): NodeId | undefined {
  let witness: NodeId | undefined;
  let highest = -1;
  for (const candidate of fleet) {
    if (candidate === relay) continue;
    const lot = lotOf(`${candidate} ${name}`);
    if (lot > highest || (lot === highest && candidate > (witness ?? ""))) [witness, highest] = [candidate, lot];
  }
  return witness;
}

/** FNV-1a, its bits mixed (as MurmurHash3 ends): names differ little, and lots must not. */
function lotOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
