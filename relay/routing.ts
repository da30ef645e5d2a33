/**
 * Which node a name belongs to, and the newest epoch of each node: what the edge's feed has told, and what single
 * lookups have told before the feed did. Pure bookkeeping; whoever changes it is told which nodes to judge anew.
 */
import type { FeedMessage, RouteChange } from "../shared/registry/feed.ts";
import type { NodeRules, Route } from "../shared/registry/messages.ts";
import type { NodeId } from "../shared/registry/node-id.ts";

interface KnownNode {
  epoch: number;
  readonly names: Set<string>;
  rules: NodeRules | undefined;
  relays: readonly NodeId[];
}

/** The feed has had its say about a name learnt by lookup after this time. */
const learntMs = 30_000;

export class Routing {
  #routes = new Map<string, Route>();
  /** Names of each node, so that the last one gone is noticed. */
  #nodes = new Map<string, KnownNode>();
  readonly #learntAt = new Map<string, number>();
  /** The parts of a snapshot so far; it counts when it is whole. */
  #snapshot: Route[] | undefined;
  #cursor: string | undefined;

  /** Where the feed may go on; undefined before the first whole snapshot. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  get size(): number {
    return this.#routes.size;
  }

  find(name: string): Route | undefined {
    return this.#routes.get(name);
  }

  /** The newest epoch known of a node; undefined when it has no name here. */
  epochOf(node: string): number | undefined {
    return this.#nodes.get(node)?.epoch;
  }

  /** What the node has asked relays to do; the same object until that changes. */
  rulesOf(node: string): NodeRules | undefined {
    return this.#nodes.get(node)?.rules;
  }

  /** Where the node has its tunnels, as far as the edge knows; the same array until that changes. */
  relaysOf(node: string): readonly NodeId[] {
    return this.#nodes.get(node)?.relays ?? [];
  }

  all(): Route[] {
    return [...this.#routes.values()];
  }

  /** Takes a message of the feed. Answers the nodes whose epoch or names may have changed. */
  apply(message: FeedMessage, now: number): Set<string> {
    const touched = this.#forgetLearnt(now);
    if (message.type === "delta") {
      for (const change of message.changes) this.#change(change, touched);
      this.#cursor = message.cursor;
      return touched;
    }
    if (message.first) this.#snapshot = [];
    this.#snapshot?.push(...message.routes);
    if (!message.last || !this.#snapshot) return touched;

    for (const node of this.#nodes.keys()) touched.add(node);
    this.#routes = new Map();
    this.#nodes = new Map();
    this.#learntAt.clear();
    for (const route of this.#snapshot) this.#change(route, touched);
    this.#snapshot = undefined;
    this.#cursor = message.cursor;
    return touched;
  }

  /** Takes what a lookup answered, unless the feed knows at least as much. */
  learn(route: Route, now: number): Set<string> {
    const touched = new Set<string>();
    const known = this.#routes.get(route.name);
    if (known && (known.node !== route.node || known.epoch >= route.epoch)) return touched;
    this.#change(route, touched);
    this.#learntAt.set(route.name, now);
    return touched;
  }

  #change(change: RouteChange, touched: Set<string>): void {
    const before = this.#routes.get(change.name);
    this.#learntAt.delete(change.name);
    if (before && before.node !== change.node) this.#remove(before, touched);
    if (change.node === null) return;
    const node: KnownNode = this.#nodes.get(change.node) ?? {
      epoch: 0,
      names: new Set(),
      rules: undefined,
      relays: [],
    };
    node.relays = change.relays ?? [];
    // The same for all names of a node: kept as one object, for what is counted by it.
    if (JSON.stringify(change.rules) !== JSON.stringify(node.rules)) node.rules = change.rules;
    node.names.add(change.name);
    node.epoch = Math.max(node.epoch, change.epoch);
    this.#nodes.set(change.node, node);
    this.#routes.set(change.name, change);
    touched.add(change.node);
  }

  #remove(route: Route, touched: Set<string>): void {
    this.#routes.delete(route.name);
    const node = this.#nodes.get(route.node);
    node?.names.delete(route.name);
    if (node?.names.size === 0) this.#nodes.delete(route.node);
    touched.add(route.node);
  }

  #forgetLearnt(now: number): Set<string> {
    const touched = new Set<string>();
    for (const [name, learntAt] of this.#learntAt) {
      if (learntAt > now - learntMs) break;
      const route = this.#routes.get(name);
      if (route) this.#remove(route, touched);
      this.#learntAt.delete(name);
    }
    return touched;
  }
}
