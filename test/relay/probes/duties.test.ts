import { beforeAll, describe, expect, it } from "vitest";
import { decideDuties } from "../../../relay/probes/duties.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { newIdentity } from "../../support/relay-world.ts";

let fleet: NodeId[];
const names = Array.from({ length: 300 }, (_, at) => `node-${at}.zone.test`);
const without = (relay: NodeId): NodeId[] => fleet.filter((other) => other !== relay);

beforeAll(async () => {
  const identities = await Promise.all(Array.from({ length: 4 }, () => newIdentity()));
  fleet = identities.map(({ id }) => id);
});

describe("the duty to look at a name through a relay", () => {
  it("is that of exactly one relay, and of another one than is looked at", () => {
    const relays = fleet.slice(0, 2);
    for (const name of names)
      for (const through of relays) {
        const witnesses = fleet.filter((self) =>
          decideDuties({ name, relays, self, others: without(self) }).includes(through),
        );
        expect(witnesses).toHaveLength(1);
        expect(witnesses).not.toContain(through);
      }
  });

  it("is shared evenly among the others", () => {
    const [through] = fleet as [NodeId];
    const counts = without(through).map(
      (self) =>
        names.filter((name) => decideDuties({ name, relays: [through], self, others: without(self) }).length > 0)
          .length,
    );
    for (const count of counts) expect(count).toBeGreaterThan(names.length / 6);
  });

  it("changes hands only where its relay has gone", () => {
    const [through, gone, left] = fleet as [NodeId, NodeId, NodeId];
    const before = (name: string) => decideDuties({ name, relays: [through], self: left, others: without(left) });
    const after = (name: string) =>
      decideDuties({ name, relays: [through], self: left, others: without(left).filter((one) => one !== gone) });
    for (const name of names) if (before(name).length > 0) expect(after(name)).toEqual([through]);
    expect(names.filter((name) => after(name).length > before(name).length).length).toBeGreaterThan(0);
  });

  it("is a relay's own when it is alone, also while nobody says where tunnels are", () => {
    const [self, gone] = fleet as [NodeId, NodeId];
    expect(decideDuties({ name: "a", relays: [self, gone], self, others: [] })).toEqual([self]);
    expect(decideDuties({ name: "a", relays: [], self, others: [] })).toEqual([self]);
    expect(decideDuties({ name: "a", relays: [gone], self, others: [] })).toEqual([]);
  });

  it("is nobody's for relays that do not live, and while nobody says where tunnels are", () => {
    const [self, other, gone] = fleet as [NodeId, NodeId, NodeId];
    for (const name of names) {
      expect(decideDuties({ name, relays: [gone], self, others: [other] })).toEqual([]);
      expect(decideDuties({ name, relays: [], self, others: [other] })).toEqual([]);
    }
  });
});
