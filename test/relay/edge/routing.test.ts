import { describe, expect, test } from "vitest";
import { Routing } from "../../../relay/edge/routing.ts";
import type { FeedMessage } from "../../../shared/registry/feed.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";

const [alice, bob] = ["a1".repeat(32) as NodeId, "b2".repeat(32) as NodeId];
const route = (name: string, node: NodeId, epoch: number) => ({ name, node, epoch });
const delta = (...changes: Extract<FeedMessage, { type: "delta" }>["changes"]): FeedMessage => ({
  type: "delta",
  cursor: "g.2",
  changes,
});
const snapshot = (routes: ReturnType<typeof route>[], part = { first: true, last: true }): FeedMessage => ({
  type: "snapshot",
  cursor: "g.1",
  routes,
  ...part,
});

describe("routing", () => {
  test("knows nothing, and no cursor, before a whole snapshot", () => {
    const routing = new Routing();
    routing.apply(snapshot([route("a.zone", alice, 1)], { first: true, last: false }), 0);
    expect([routing.find("a.zone"), routing.cursor]).toEqual([undefined, undefined]);
    routing.apply(snapshot([route("b.zone", bob, 1)], { first: false, last: true }), 0);
    expect([routing.find("a.zone")?.node, routing.find("b.zone")?.node, routing.cursor]).toEqual([alice, bob, "g.1"]);
  });

  test("serves the old routes until a new snapshot is whole, and forgets what it lacks", () => {
    const routing = new Routing();
    routing.apply(snapshot([route("a.zone", alice, 1)]), 0);
    routing.apply(snapshot([], { first: true, last: false }), 0);
    expect(routing.find("a.zone")?.node).toBe(alice);
    const touched = routing.apply(snapshot([route("b.zone", bob, 1)], { first: false, last: true }), 0);
    expect(routing.find("a.zone")).toBeUndefined();
    expect(touched).toEqual(new Set([alice, bob]));
    expect(routing.epochOf(alice)).toBeUndefined();
  });

  test("ignores the rest of a snapshot whose start it has not seen", () => {
    const routing = new Routing();
    routing.apply(snapshot([route("a.zone", alice, 1)], { first: false, last: true }), 0);
    expect(routing.cursor).toBeUndefined();
  });

  test("takes the newest epoch of any of a node's names as the node's", () => {
    const routing = new Routing();
    routing.apply(delta(route("a.zone", alice, 3), route("b.zone", alice, 2)), 0);
    expect(routing.epochOf(alice)).toBe(3);
  });

  test("forgets a node with its last name", () => {
    const routing = new Routing();
    routing.apply(delta(route("a.zone", alice, 1), route("b.zone", alice, 1)), 0);
    routing.apply(delta({ name: "a.zone", node: null }), 0);
    expect(routing.epochOf(alice)).toBe(1);
    expect(routing.apply(delta({ name: "b.zone", node: null }), 0)).toEqual(new Set([alice]));
    expect(routing.epochOf(alice)).toBeUndefined();
  });

  test("moves a name to another node", () => {
    const routing = new Routing();
    routing.apply(delta(route("a.zone", alice, 5)), 0);
    expect(routing.apply(delta(route("a.zone", bob, 1)), 0)).toEqual(new Set([alice, bob]));
    expect(routing.find("a.zone")?.node).toBe(bob);
    expect(routing.epochOf(alice)).toBeUndefined();
  });

  test("learns from a lookup only what the feed does not know better", () => {
    const routing = new Routing();
    routing.apply(delta(route("a.zone", alice, 5)), 0);
    routing.learn(route("a.zone", bob, 9), 0);
    routing.learn(route("a.zone", alice, 4), 0);
    expect(routing.find("a.zone")).toEqual(route("a.zone", alice, 5));
    routing.learn(route("a.zone", alice, 6), 0);
    expect(routing.epochOf(alice)).toBe(6);
  });

  test("knows the relays of each node, equal lists as one, and follows what changes", () => {
    const routing = new Routing();
    const relays = (...ids: string[]) => ids.map((id) => id.repeat(32) as NodeId);
    expect(routing.relaysOf(alice)).toEqual([]);
    const told = [
      { ...route("a.zone", alice, 1), relays: relays("c3", "d4") },
      { ...route("b.zone", bob, 1), relays: relays("c3", "d4") },
    ];
    routing.apply(snapshot(told), 0);
    expect(routing.relaysOf(alice)).toEqual(relays("c3", "d4"));
    expect(routing.relaysOf(bob)).toBe(routing.relaysOf(alice));
    expect(routing.all()).toEqual(told);
    routing.apply(delta({ ...route("a.zone", alice, 1), relays: relays("e5") }), 0);
    expect([routing.relaysOf(alice), routing.relaysOf(bob)]).toEqual([relays("e5"), relays("c3", "d4")]);
    routing.apply(delta(route("a.zone", alice, 2)), 0);
    expect(routing.relaysOf(alice)).toEqual([]);
  });

  test("drops what it learnt by lookup once the feed has had time to tell and has not", () => {
    const routing = new Routing();
    routing.learn(route("a.zone", alice, 1), 1_000);
    routing.apply(delta(), 30_999);
    expect(routing.find("a.zone")?.node).toBe(alice);
    expect(routing.apply(delta(), 31_000)).toEqual(new Set([alice]));
    expect(routing.find("a.zone")).toBeUndefined();
  });

  test("keeps what it learnt when the feed has confirmed it", () => {
    const routing = new Routing();
    routing.learn(route("a.zone", alice, 1), 0);
    routing.apply(delta(route("a.zone", alice, 1)), 10_000);
    routing.apply(delta(), 90_000);
    expect(routing.find("a.zone")?.node).toBe(alice);
  });
});
