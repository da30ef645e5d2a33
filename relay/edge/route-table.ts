/**
 * Names and the nodes they lead to, kept small: there may be hundreds of thousands. What all names of a node have in
 * common is kept once, and so is a list of relays that many nodes have.
 */
import type { RouteChange } from "../../shared/registry/feed.ts";
import type { NodeRules, Route } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** A fleet of 100 relays has 4,950 pairs of them. */
const maxSharedLists = 10_000;
const noRelays: readonly NodeId[] = Object.freeze([]);

export interface KnownNode {
  readonly id: NodeId;
  /** The newest of any of its names. */
  epoch: number;
  names: number;
  rules: NodeRules | undefined;
  relays: readonly NodeId[];
  /** The key that visitors must meet; undefined while that is not known. */
  key: string | undefined;
}

interface KnownRoute {
  node: KnownNode;
  epoch: number;
}

export class RouteTable {
  readonly #routes = new Map<string, KnownRoute>();
  readonly #nodes = new Map<string, KnownNode>();
  readonly #lists = new Map<string, readonly NodeId[]>();

  get size(): number {
    return this.#routes.size;
  }

  get names(): Iterable<string> {
    return this.#routes.keys();
  }

  get nodes(): Iterable<string> {
    return this.#nodes.keys();
  }

  node(id: string): KnownNode | undefined {
    return this.#nodes.get(id);
  }

  find(name: string): Route | undefined {
    const known = this.#routes.get(name);
    return known && routeOf(name, known);
  }

  all(): Route[] {
    return Array.from(this.#routes, ([name, known]) => routeOf(name, known));
  }

  /** Adds to `touched` the nodes whose epoch or names have changed by it. */
  change(change: RouteChange, touched: Set<string>): void {
    const { name } = change;
    const before = this.#routes.get(name);
    if (before && before.node.id !== change.node) this.remove(name, touched);
    if (change.node === null) return;
    const node = this.#nodes.get(change.node) ?? this.#add(change.node);
    node.epoch = Math.max(node.epoch, change.epoch);
    // The same object for all names of a node, and until it changes, for what is counted by it.
    if (JSON.stringify(change.rules) !== JSON.stringify(node.rules)) node.rules = change.rules;
    node.relays = this.#shared(change.relays);
    node.key = change.key;
    const route = this.#routes.get(name);
    if (route) route.epoch = change.epoch;
    else {
      node.names++;
      this.#routes.set(name, { node, epoch: change.epoch });
    }
    touched.add(node.id);
  }

  remove(name: string, touched: Set<string>): void {
    const node = this.#routes.get(name)?.node;
    if (!node) return;
    this.#routes.delete(name);
    node.names--;
    if (node.names === 0) this.#nodes.delete(node.id);
    touched.add(node.id);
  }

  #add(id: NodeId): KnownNode {
    const node = { id, epoch: 0, names: 0, rules: undefined, relays: noRelays, key: undefined };
    this.#nodes.set(id, node);
    return node;
  }

  /** The one array for all nodes that have these relays. */
  #shared(relays: readonly NodeId[] | undefined): readonly NodeId[] {
    if (!relays || relays.length === 0) return noRelays;
    const key = relays.join();
    const shared = this.#lists.get(key);
    if (shared) return shared;
    if (this.#lists.size >= maxSharedLists) this.#lists.clear();
    this.#lists.set(key, relays);
    return relays;
  }
}

function routeOf(name: string, { node, epoch }: KnownRoute): Route {
  const { id, rules, relays, key } = node;
  return {
    name,
    node: id,
    epoch,
    ...(rules && { rules }),
    ...(relays.length > 0 && { relays: [...relays] }),
    ...(key !== undefined && { key }),
  };
}
