import { describe, expect, it } from "vitest";
import type { Sighting } from "../../../shared/acme/ports.ts";
import { decideVisibility, troubleOfVisibility } from "../../../shared/acme/sightings.ts";

const resolver = (server: string, sees: Sighting["sees"]): Sighting => ({ server, kind: "resolver", sees });
const authority = (server: string, sees: Sighting["sees"]): Sighting => ({ server, kind: "authority", sees });

describe("records are visible", () => {
  it.each<[visible: boolean, words: string, sightings: Sighting[]]>([
    [true, "2 of 2 resolvers see it", [resolver("a", "all"), resolver("b", "all")]],
    [true, "1 of 1 resolvers see it", [resolver("a", "all")]],
    [false, "1 of 2 resolvers see it", [resolver("a", "all"), resolver("b", "not-all")]],
    [false, "1 of 2 resolvers see it", [resolver("a", "all"), resolver("b", "unreachable")]],
    [true, "1 of 1 resolvers see it", [resolver("a", "all"), authority("ns1", "all"), authority("ns2", "unreachable")]],
    [false, "the zone's own ns1 does not have it yet", [resolver("a", "all"), authority("ns1", "not-all")]],
    [false, "0 of 0 resolvers see it", [authority("ns1", "all")]],
    [false, "0 of 0 resolvers see it", []],
  ])("%s: %s", (visible, words, sightings) => {
    expect(decideVisibility(sightings)).toMatchObject({ visible, words });
  });
});

describe("records that are not visible for long", () => {
  const detailOf = (...sightings: Sighting[]): string =>
    troubleOfVisibility(decideVisibility(sightings), 12 * 60_000).detail;

  it("are said to be so by name", () => {
    expect(detailOf(resolver("a", "not-all"), resolver("b", "unreachable"), authority("ns1", "not-all"))).toBe(
      "The challenge's TXT records were written 12 min ago, but a and ns1 do not see them, and b does not answer (0 of 2 resolvers see it).",
    );
  });

  it("are said to be so for want of a resolver", () => {
    expect(detailOf(authority("ns1", "all"))).toContain("No resolver is configured");
  });
});
