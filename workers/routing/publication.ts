/** What a node's object tells a hub, and how the hub decides what changes by it. Rules only. */
import type { RouteChange } from "../../shared/registry/feed.ts";
import type { NodeRules, Route } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** All names that lead to `node` now: none while its lease has lapsed. Newer ones replace older ones entirely. */
export interface Publication {
  readonly node: NodeId;
  readonly epoch: number;
  /** Counts every change of the node's object, so that messages may come twice and out of order. */
  readonly revision: number;
  readonly names: readonly string[];
  /** What relays do before visitors reach the node; the same for all its names. */
  readonly rules?: NodeRules | undefined;
  /** Those named to the node last; absent before the first time. */
  readonly relays?: readonly NodeId[] | undefined;
  /** The key that visitors must meet; absent where it is not known. */
  readonly key?: string | undefined;
}

/** An older epoch never overwrites a newer one, whatever its revision says. */
export function isNewer(
  one: { epoch: number; revision: number },
  other: { epoch: number; revision: number } | undefined,
): boolean {
  if (!other) return true;
  return one.epoch === other.epoch ? one.revision > other.revision : one.epoch > other.epoch;
}

/** `held`: the live routes of the node and of the names it publishes. */
export function decideChanges(
  { node, epoch, names, rules, relays, key }: Publication,
  held: readonly Route[],
): RouteChange[] {
  const heldByName = new Map(held.map((route) => [route.name, route]));
  const changes: RouteChange[] = [];
  for (const name of names) {
    const route = heldByName.get(name);
    const isHeld = route?.node === node && route.epoch === epoch && route.key === key;
    if (!isHeld || !areSame(route.rules, rules) || !areSame(route.relays, relays))
      changes.push({
        name,
        node,
        epoch,
        ...(rules && { rules }),
        ...(relays && { relays: [...relays] }),
        ...(key !== undefined && { key }),
      });
  }
  const wanted = new Set(names);
  for (const route of held)
    if (route.node === node && !wanted.has(route.name)) changes.push({ name: route.name, node: null });
  return changes;
}

/** They are made by one schema, so equal ones have the same text. */
function areSame<T extends NodeRules | readonly NodeId[]>(one: T | undefined, other: T | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
