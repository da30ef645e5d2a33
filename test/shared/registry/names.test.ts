import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idHostname, labelBelow, maxAliasLength, parseAlias, parseHostname } from "../../../shared/registry/names.ts";
import { labelOfNodeId, parseNodeId } from "../../../shared/registry/node-id.ts";
import { refusalOf } from "../refusal.ts";

const id = parseNodeId("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

describe("parseAlias", () => {
  it.each(["al", "alice", "a1", "1a", "42", "a-b", "a-b-c-d", "web2", "a".repeat(maxAliasLength), "my-relay", "nsa"])(
    "takes %s as it is",
    (alias) => {
      expect(parseAlias(alias)).toBe(alias);
    },
  );

  it.each([
    ["nothing", ""],
    ["one character", "a"],
    ["41 characters", "a".repeat(41)],
    ["a label of 63 characters", "a".repeat(63)],
    ["a label of 64 characters", "a".repeat(64)],
    ["a megabyte", "a".repeat(2 ** 20)],
    ["the label of a node id", labelOfNodeId(id)],
    ["capitals", "Alice"],
    ["a hyphen first", "-alice"],
    ["a hyphen last", "alice-"],
    ["an encoded name", "xn--bcher-kva"],
    ["any name with hyphens in third and fourth place", "ab--cd"],
    ["an underscore", "a_b"],
    ["a dot", "a.b"],
    ["a trailing dot", "alice."],
    ["a space", "a b"],
    ["a space around", " alice "],
    ["a line break", "alice\n"],
    ["a zero byte", "alice\0"],
    ["a slash", "a/b"],
    ["a percent sign", "a%2e"],
    ["a wildcard", "*"],
    ["an umlaut", "bücher"],
    ["a Cyrillic а", "\u0430lice"],
    ["full-width letters", "ａｌｉｃｅ"],
    ["an ideographic full stop", "a\u3002b"],
    ["a soft hyphen", "ali\u00adce"],
    ["a zero-width joiner", "ali\u200dce"],
    ["a right-to-left override", "ali\u202ece"],
    ["Arabic digits", "node\u0661"],
    ["the Kelvin sign", "\u212aelvin"],
    ["a dotless i", "al\u0131ce"],
  ])("refuses %s", (_, alias) => {
    expect(refusalOf(() => parseAlias(alias))).toBe("name-invalid");
  });

  it.each(["www", "api", "edge", "relay", "relay1", "relay-eu", "relays", "edge2", "ns1", "mx10", "admin", "acme"])(
    "keeps %s for the service",
    (alias) => {
      expect(refusalOf(() => parseAlias(alias))).toBe("name-reserved");
    },
  );

  it("says why in one sentence that can be shown", () => {
    expect(() => parseAlias("www")).toThrow(/"www" is kept for the service itself/);
    expect(() => parseAlias("a".repeat(64))).toThrow(/at most 63 characters/);
    expect(() => parseAlias("\u0430lice")).toThrow(/other scripts/);
  });

  it("never takes anything but a DNS label, whatever it is given", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 70 }), fc.string({ unit: "binary", maxLength: 70 })), (text) => {
        const refusal = refusalOf(() => parseAlias(text));
        if (refusal === undefined) expect(text).toMatch(/^[a-z0-9][a-z0-9-]*[a-z0-9]$/);
        else expect(["name-invalid", "name-reserved"]).toContain(refusal);
      }),
    );
  });
});

describe("parseHostname", () => {
  const zone = "postern.example";

  it("knows the name of an id, which idHostname writes, in any case", () => {
    const hostname = idHostname(id, zone);
    expect(hostname).toBe("25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkena.postern.example");
    expect(parseHostname(hostname, zone)).toEqual({ kind: "id", node: id });
    expect(parseHostname(hostname.toUpperCase(), zone)).toEqual({ kind: "id", node: id });
  });

  it("takes any other label directly below the zone for an alias", () => {
    expect(parseHostname("Alice.Postern.Example", zone)).toEqual({ kind: "alias", alias: "alice" });
    expect(labelBelow("Alice.Postern.Example", zone)).toBe("alice");
  });

  it.each([
    "",
    zone,
    `.${zone}`,
    `a.b.${zone}`,
    `alice.${zone}.`,
    "alice.example",
    "alicepostern.example",
    `alice.${zone}.evil.example`,
  ])("knows nothing of %j", (hostname) => {
    expect(parseHostname(hostname, zone)).toBeUndefined();
    expect(labelBelow(hostname, zone)).toBeUndefined();
  });
});
