/** When a relay is left alone by all, because nodes are not reached through it that are reached through others. */
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Fewer may have a fault of their own. */
const minLost = 3;
/** Half of those that were looked at. */
const minLostShare = 0.5;
/** Where a fleet has so many others, one relay's word is not enough. */
const witnessesWanted = 2;
/** Verdicts of nodes that have not been heard of for so long do not count; relays tell anew every four minutes. */
const verdictMs = 12 * 60_000;
/** No node is sent to an ill relay for so long; then it is tried again. */
export const illMs = 10 * 60_000;
/** A sample of that size tells half from less. */
export const maxVerdicts = 64;

/** How one node fares through the relay, by the word of one witness. */
export interface NodeVerdict {
  /** The first characters of its id. */
  readonly node: string;
  readonly isLost: boolean;
  readonly witness: NodeId;
  readonly at: number;
}

/** The newest verdict of each node, as many as are kept. */
export function decideVerdicts(held: readonly NodeVerdict[], news: readonly NodeVerdict[], now: number): NodeVerdict[] {
  const byNode = new Map<string, NodeVerdict>();
  for (const verdict of [...held, ...news]) {
    byNode.delete(verdict.node);
    if (now - verdict.at < verdictMs) byNode.set(verdict.node, verdict);
  }
  return [...byNode.values()].slice(-maxVerdicts);
}

/** `others`: relays besides this one whose heartbeats come. */
export function decideIllness(verdicts: readonly NodeVerdict[], others: number): boolean {
  const lost = verdicts.filter(({ isLost }) => isLost);
  const witnesses = new Set(lost.map(({ witness }) => witness));
  return (
    lost.length >= minLost &&
    lost.length >= minLostShare * verdicts.length &&
    witnesses.size >= Math.min(witnessesWanted, others)
  );
}
