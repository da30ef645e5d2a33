/**
 * Which node a name belongs to, and the newest epoch of each node: what the edge's feed has told, and what single
 * lookups have told before the feed did. Pure bookkeeping; whoever changes it is told which nodes to judge anew.
 */
import type { FeedMessage } from "../../shared/registry/feed.ts";
import type { NodeRules, Route } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import { RouteTable } from "./route-table.ts";

/** The feed has had its say about a name learnt by lookup after this time. */
const learntMs = 30_000;

export class Routing {
  #table = new RouteTable();
  readonly #learntAt = new Map<string, number>();
  /** The parts of a snapshot so far; it counts when it is whole. */
  #snapshot: RouteTable | undefined;
  #cursor: string | undefined;

  /** Where the feed may go on; undefined before the first whole snapshot. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  get size(): number {
    return this.#table.size;
  }

  find(name: string): Route | undefined {
    return this.#table.find(name);
  }

  get names(): Iterable<string> {
    return this.#table.names;
  }

  /** The newest epoch known of a node; undefined when it has no name here. */
  epochOf(node: string): number | undefined {
    return this.#table.node(node)?.epoch;
  }

  /** What the node has asked relays to do; the same object until that changes. */
  rulesOf(node: string): NodeRules | undefined {
    return this.#table.node(node)?.rules;
  }

  /** Where the node has its tunnels, as far as the edge knows; the same array until that changes. */
  relaysOf(node: string): readonly NodeId[] {
    return this.#table.node(node)?.relays ?? [];
  }

  all(): Route[] {
    return this.#table.all();
  }

  /** Takes a message of the feed. Answers the nodes whose epoch or names may have changed. */
  apply(message: FeedMessage, now: number): Set<string> {
    const touched = this.#forgetLearnt(now);
    if (message.type === "delta") {
      for (const change of message.changes) {
        this.#learntAt.delete(change.name);
        this.#table.change(change, touched);
      }
      this.#cursor = message.cursor;
      return touched;
    }
    if (message.first) this.#snapshot = new RouteTable();
    const unnoticed = new Set<string>();
    for (const route of message.routes) this.#snapshot?.change(route, unnoticed);
    if (!message.last || !this.#snapshot) return touched;

    for (const node of this.#table.nodes) touched.add(node);
    this.#table = this.#snapshot;
    for (const node of this.#table.nodes) touched.add(node);
    this.#learntAt.clear();
    this.#snapshot = undefined;
    this.#cursor = message.cursor;
    return touched;
  }

  /** Takes what a lookup answered, unless the feed knows at least as much. */
  learn(route: Route, now: number): Set<string> {
    const touched = new Set<string>();
    const known = this.find(route.name);
    if (known && (known.node !== route.node || known.epoch >= route.epoch)) return touched;
    this.#table.change(route, touched);
    this.#learntAt.delete(route.name); // or it would keep its place in the order of time
    this.#learntAt.set(route.name, now);
    return touched;
  }

  #forgetLearnt(now: number): Set<string> {
    const touched = new Set<string>();
    for (const [name, learntAt] of this.#learntAt) {
      if (learntAt > now - learntMs) break;
      this.#table.remove(name, touched);
      this.#learntAt.delete(name);
    }
    return touched;
  }
}
