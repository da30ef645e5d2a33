import { describe, expect, test } from "vitest";
import { freshIdentity } from "../support/identities.ts";
import { decideLapse, lateGraceMs, type NodeRecord } from "../../../workers/registry/lease.ts";

const endsAt = 1_000_000;
const { id: node } = await freshIdentity();
const held: NodeRecord = { node, epoch: 3, revision: 7, state: "up", expiresAt: endsAt, place: undefined };

describe("a lease that is looked at", () => {
  test("before its end, or of a node that is not up, does not lapse", () => {
    expect(decideLapse(held, endsAt - 1)).toBeUndefined();
    expect(decideLapse(undefined, endsAt)).toBeUndefined();
    for (const state of ["lapsed", "released"] as const)
      expect(decideLapse({ ...held, state }, endsAt)).toBeUndefined();
  });

  test("at its end lapses at once, which hubs are told", () => {
    expect(decideLapse(held, endsAt)).toEqual({ ...held, state: "lapsed", revision: 8 });
    expect(decideLapse(held, endsAt + 1_000)).toMatchObject({ state: "lapsed" });
  });

  test("long after its end goes on for as long as a node needs to notice the edge, and lapses then", () => {
    const lookedAt = endsAt + 60_000;
    const spared = decideLapse(held, lookedAt);
    expect(spared).toEqual({ ...held, expiresAt: lookedAt + lateGraceMs });
    expect(decideLapse(spared, lookedAt + lateGraceMs)).toMatchObject({ state: "lapsed", revision: 8 });
  });
});
