/**
 * Which relays the edge should be told of: those that stop, and those that this node does not get through to. When a
 * tunnel stays lost the edge is asked for another relay, at a random moment, for all nodes of a relay lose it at once.
 */
import type { Clock } from "../../shared/clock.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** A relay that is restarted is back by then, and so is its tunnel. */
export const graceMs = 5_000;
/** Within which the nodes of a dead relay ask. */
export const windowMs = 20_000;
/** With no tunnel up it may be this node that is cut off: that the edge has answered it for so long shows it is not. */
export const proofMs = 20_000;

export interface TunnelFacts {
  readonly relay: NodeId;
  readonly state: "connecting" | "up" | "draining" | "superseded" | "closed";
  /** Since when it is not up, though it should be. */
  readonly downSince: number | undefined;
}

export interface RelayTroubles {
  readonly unreachable: NodeId[];
  readonly draining: NodeId[];
}

export interface LostRelaysOptions {
  readonly tunnels: () => readonly TunnelFacts[];
  /** Some tunnel stays lost. */
  readonly onLost: () => void;
  readonly clock: Clock;
  readonly random: () => number;
}

export class LostRelays {
  readonly #options: LostRelaysOptions;
  /** One for each tunnel that is down; it ends when the tunnel is up again or the relay is left. */
  readonly #waits = new Map<NodeId, AbortController>();
  readonly #end = new AbortController();
  #reachedAt: number | undefined;

  constructor(options: LostRelaysOptions) {
    this.#options = options;
  }

  /** A tunnel went up or down, or there are others. */
  check(): void {
    const tunnels = this.#options.tunnels();
    if (tunnels.some(({ state }) => state === "up")) this.#reachedAt = undefined;
    const down = new Set(tunnels.flatMap(({ relay, downSince }) => (downSince === undefined ? [] : [relay])));
    for (const [relay, wait] of this.#waits) {
      if (down.has(relay)) continue;
      wait.abort();
      this.#waits.delete(relay);
    }
    for (const relay of down) if (!this.#waits.has(relay)) void this.#wait(relay);
  }

  /** The edge has answered. */
  reached(): void {
    if (this.#options.tunnels().every(({ state }) => state !== "up")) this.#reachedAt ??= this.#options.clock.now();
  }

  /** The edge has not answered: nothing that was seen before shows that this node is not cut off. */
  notReached(): void {
    this.#reachedAt = undefined;
  }

  /** What to tell the edge now. */
  troubles(): RelayTroubles {
    const { tunnels, clock } = this.#options;
    const facts = tunnels();
    return {
      unreachable: decideUnreachable(facts, this.#reachedAt, clock.now()),
      draining: facts.filter(({ state }) => state === "draining").map(({ relay }) => relay),
    };
  }

  [Symbol.dispose](): void {
    this.#end.abort();
  }

  async #wait(relay: NodeId): Promise<void> {
    const { clock, random, onLost } = this.#options;
    const wait = new AbortController();
    this.#waits.set(relay, wait);
    try {
      await clock.sleep(graceMs + random() * windowMs, AbortSignal.any([wait.signal, this.#end.signal]));
    } catch {
      return; // it is up again, or this node stops
    }
    onLost();
  }
}

/**
 * Relays whose tunnels have been down for longer than a restart takes. `reachedAt`: since when the edge has answered
 * while no tunnel was up.
 */
export function decideUnreachable(
  tunnels: readonly TunnelFacts[],
  reachedAt: number | undefined,
  now: number,
): NodeId[] {
  const isOnline =
    tunnels.some(({ state }) => state === "up" || state === "draining") ||
    (reachedAt !== undefined && now - reachedAt >= proofMs);
  if (!isOnline) return [];
  return tunnels
    .filter(({ downSince }) => downSince !== undefined && now - downSince >= graceMs)
    .map(({ relay }) => relay);
}
