import { describe, expect, it } from "vitest";
import { hasHalf, safetyHalf } from "../../../../tee-bot/attestation/client/safety-number.ts";

// Published vectors of libsignal (rust/protocol/src/fingerprint.rs), whose identifiers are numbers.
const alice = { key: "0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868", id: "+14152222222" };
const bob = { key: "05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b", id: "+14153333333" };
const shown = "300354477692869396892869876765458257569162576843440918079131";

const halfOf = ({ key, id }: typeof alice): string => safetyHalf(Buffer.from(key, "hex"), Buffer.from(id));

describe("the half of a safety number", () => {
  it("is as libsignal has it, for either of two people", () => {
    expect([halfOf(alice), halfOf(bob)].toSorted().join("")).toBe(shown);
  });

  it("is found in a number as a phone shows it, and only as one of its halves", () => {
    const grouped = shown.replaceAll(/.{5}/g, "$& ");
    expect(hasHalf(grouped, halfOf(alice))).toBe(true);
    expect(hasHalf(grouped, halfOf(bob))).toBe(true);
    expect(hasHalf(grouped, shown.slice(5, 35))).toBe(false);
    expect(hasHalf(shown.slice(0, 55), halfOf(alice))).toBe(false);
  });
});
