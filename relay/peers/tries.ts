/** Which relays to ask, one after the other, to take a visitor. */
import type { FleetRelay } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** A visitor's client does not wait for ever. */
const maxTries = 3;
/** For so long a relay that could not be reached is asked after the others. */
const doubtMs = 30_000;

export interface TriesFacts {
  /** Where the node has its tunnels, as the edge has told. */
  relays: readonly NodeId[];
  /** The relays that live. */
  fleet: readonly FleetRelay[];
  self: NodeId;
  /** When a relay could last not be reached. */
  failedAt: (relay: NodeId) => number | undefined;
  now: number;
  /** From 0 up to 1: spreads visitors evenly over relays that are as good as each other. */
  random: number;
}

/** A single relay is asked twice: a connection that was held ready may have been cut meanwhile. */
export function decideTries({ relays, fleet, self, failedAt, now, random }: TriesFacts): FleetRelay[] {
  const live = fleet.filter(({ relay }) => relay !== self && relays.includes(relay));
  const first = Math.floor(random * live.length);
  const turned = [...live.slice(first), ...live.slice(0, first)];
  const doubt = ({ relay, draining }: FleetRelay): number => {
    const sinceMs = now - (failedAt(relay) ?? -Infinity);
    return (sinceMs < doubtMs ? 2 : 0) + (draining ? 1 : 0);
  };
  const ordered = turned.toSorted((a, b) => doubt(a) - doubt(b)).slice(0, maxTries);
  return ordered.length === 1 ? [...ordered, ...ordered] : ordered;
}
