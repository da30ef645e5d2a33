/** What a node's object is told with a registration or a lease, and what it answers. */
import type { Path, Place } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** What relays are chosen by. */
export interface Situation {
  /** What the node said of its place. */
  readonly place: Place | null;
  /** Those named to the node last. */
  readonly relays: NodeId[];
  /** Those it does not get through to, or its visitors do not. */
  readonly avoided: Avoided[];
}

/** A relay that the node is sent to only when too few others are left. */
export interface Avoided {
  readonly relay: NodeId;
  /** When the node told that it does not get through (ms since the Unix epoch); undefined: it has not told. */
  readonly since?: number;
  /** Visitors do not get through it, whatever the node itself says. */
  readonly isLost: boolean;
}

/** A node's registration as its object knows it; relays are chosen by the caller. */
export interface HeldLease extends Situation {
  readonly epoch: number;
  /** Aliases first, then the 52-character name. */
  readonly hostnames: string[];
  readonly expiresAt: number;
  /** To which the node's names lead, as far as the object has been told; sorted. */
  readonly addresses: string[];
  /** Through relays of before too. */
  readonly paths: Path[];
}

/** What a node says of itself as it starts. */
export interface Registering {
  readonly node: NodeId;
  readonly place: Place | null;
  /** Its own word for the key that visitors meet. */
  readonly key?: string | undefined;
}

export interface Renewing {
  readonly epoch: number;
  /** Relays that the node does not get through to. */
  readonly unreachable: readonly NodeId[];
  readonly key?: string | undefined;
}

/** What the caller has chosen for the node. */
export interface AssignedRelays {
  readonly relays: readonly NodeId[];
  /** Where visitors reach them, sorted; empty where they are not known. */
  readonly addresses: readonly string[];
}
