/**
 * How nodes share the relays that are about equally near. Loads are as old as the last heartbeats, and all nodes see the
 * same ones: so a lot decides for each node, and only a part of the difference is made up for at a time. Rules only.
 */
import { lotOf } from "./lot.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** So much more loaded than another a relay must be for moving to pay: it costs a tunnel and a change of DNS. */
const movingRatio = 1.25;
/** And by so many visitors and tunnels: in a small fleet nobody moves. */
const movingLoad = 32;
/** A node draws one lot in this time, however often it asks. About once between two renewals of its lease. */
const sliceMs = 30_000;
/** Of the nodes of a relay, at most this share moves in a slice: 10 % in a minute. */
const maxMovingShare = 0.05;
/** Of the load that is too much, this share moves in a slice: loads are known again before the rest does. */
const damping = 0.5;
/** An idle relay is picked at most so many times as often as an average one: those who pick now see the same loads. */
const maxPreference = 4;

export interface Option {
  readonly relay: NodeId;
  /** The lower, the nearer. */
  readonly band: number;
  /** Visitors and tunnels. */
  readonly load: number;
}

export interface Move<T extends Option> {
  readonly from: T;
  readonly to: T;
}

/** One of several about equally near relays: by a lot that the less loaded ones are likelier to win. */
export function decidePick<T extends Option>(node: NodeId, options: readonly T[]): T | undefined {
  const mean = meanLoad(options);
  let best: { option: T; score: number } | undefined;
  for (const option of options) {
    const preference = (mean + movingLoad) / (option.load + movingLoad);
    const weight = Math.min(maxPreference, Math.max(1 / maxPreference, preference));
    // Weighted rendezvous hashing: the chance to have the lowest score is in proportion to the weight.
    const score = -Math.log(1 - lotOf(node, option.relay)) / weight;
    if (!best || score < best.score) best = { option, score };
  }
  return best?.option;
}

/** Which of the relays that a node holds it should leave now, and for which; undefined: none, which is the rule. */
export function decideMove<T extends Option>(
  node: NodeId,
  { held, others }: { held: readonly T[]; others: readonly T[] },
  now: number,
): Move<T> | undefined {
  const slice = String(Math.floor(now / sliceMs));
  for (const from of held) {
    const nearest = Math.min(from.band, ...others.map(({ band }) => band));
    const better = others.filter((other) => other.band === nearest && (nearest < from.band || isWorthIt(from, other)));
    if (better.length === 0) continue;
    const peers = [...held, ...others].filter(({ band }) => band === from.band);
    const share = nearest < from.band ? maxMovingShare : decideMovingShare(from, peers);
    const to = lotOf(node, from.relay, slice) < share ? decidePick(node, better) : undefined;
    if (to) return { from, to };
  }
  return undefined;
}

function isWorthIt(from: Option, to: Option): boolean {
  return from.load > movingRatio * to.load && from.load > to.load + movingLoad;
}

/** Of the nodes of a relay, in one slice. */
function decideMovingShare(from: Option, peers: readonly Option[]): number {
  const surplus = Math.max(0, from.load - meanLoad(peers)) / from.load;
  return Math.min(maxMovingShare, damping * surplus);
}

function meanLoad(options: readonly Option[]): number {
  return options.reduce((sum, { load }) => sum + load, 0) / Math.max(1, options.length);
}
