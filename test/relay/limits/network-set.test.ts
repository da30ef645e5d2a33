import { array, assert, constantFrom, nat, oneof, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { NetworkSet } from "../../../relay/limits/network-set.ts";

/** Few different bits, so that addresses are often in networks. */
const byte = constantFrom(0, 1, 128, 129, 255);
const v4 = tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));
const group = constantFrom("0", "1", "8000", "ffff");
const v6 = array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(":"));
const address = oneof(v4, v6);
const network = oneof(
  tuple(v4, nat(32)).map((parts) => parts.join("/")),
  tuple(v6, nat(128)).map((parts) => parts.join("/")),
);

/** Bit by bit, as text. */
function naively(networks: readonly string[], one: string): boolean {
  const bits = (text: string): string =>
    text.includes(":")
      ? text
          .split(":")
          .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, "0"))
          .join("")
      : text
          .split(".")
          .map((part) => Number(part).toString(2).padStart(8, "0"))
          .join("");
  return networks.some((text) => {
    const [base = "", length = ""] = text.split("/");
    if (base.includes(":") !== one.includes(":")) return false;
    return bits(base).slice(0, Number(length)) === bits(one).slice(0, Number(length));
  });
}

describe("a set of networks", () => {
  test("has just the addresses that share the first bits with one of them", () =>
    assert(
      property(array(network, { maxLength: 10 }), address, (networks, one) => {
        expect(new NetworkSet(networks).has(one)).toBe(naively(networks, one));
      }),
      { numRuns: 2_000 },
    ));

  test.each([
    ["2001:db8::/32", "2001:db8::1", true],
    ["2001:db8::/32", "2001:DB8:ffff::", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["::/0", "192.0.2.1", false],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["192.0.2.77/24", "::ffff:192.0.2.1", true],
    ["192.0.2.1/32", "192.0.2.2", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["64:ff9b::192.0.2.0/120", "64:ff9b::c000:201", true],
    ["::1/128", "::1", true],
  ])("%s and %s: %s", (one, visitor, expected) => {
    expect(new NetworkSet([one]).has(visitor)).toBe(expected);
  });
});
