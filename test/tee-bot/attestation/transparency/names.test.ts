import { describe, expect, it } from "vitest";
import {
  covers,
  createMentionFilter,
  isHostname,
  normaliseName,
} from "../../../../tee-bot/attestation/transparency/names.ts";
import { issue } from "../../../support/ct-certificates.ts";

describe("a certificate", () => {
  it.each([
    ["alice.example.net", "alice.example.net", true],
    ["ALICE.Example.net", "alice.example.net", true],
    ["alice.example.net.", "alice.example.net", true],
    ["*.example.net", "alice.example.net", true],
    ["*.EXAMPLE.net", "alice.example.net", true],
    ["*.net", "alice.example.net", false],
    ["*.example.net", "example.net", false],
    ["*.example.net", "a.alice.example.net", false],
    ["alice.example.net.evil.example", "alice.example.net", false],
    ["malice.example.net", "alice.example.net", false],
    ["*", "localhost", false],
    ["", "alice.example.net", false],
  ])("for %j is good for %s: %s", (pattern, name, expected) => {
    expect(covers(pattern, name)).toBe(expected);
  });
});

describe("the filter of mentions", () => {
  const mentions = createMentionFilter(["alice.example.net"]);

  it.each([
    [["alice.example.net"], true],
    [["Alice.Example.NET"], true],
    [["*.example.net"], true],
    [["bob.example.org", "alice.example.net"], true],
    [["bob.example.net"], false],
    [["example.net"], false],
  ])("sees in a certificate for %j: %s", async (names, expected) => {
    const { certificate, precertificate } = await issue(names);
    expect(mentions(certificate.der)).toBe(expected);
    expect(mentions(precertificate.der)).toBe(expected);
  });

  it("lets nothing pass unseen that covers a name", async () => {
    for (const pattern of ["alice.example.net", "*.example.net", "ALICE.example.net.", "*.Example.Net"]) {
      expect(covers(pattern, "alice.example.net")).toBe(true);
      expect(mentions((await issue([pattern])).certificate.der)).toBe(true);
    }
  });
});

it("a name is written in one way", () => {
  expect(normaliseName("Alice.Example.NET.")).toBe("alice.example.net");
});

it.each([
  ["alice.example.net", true],
  ["a-b.x--c.example", true],
  ["_a.example.net", true],
  [`${"a".repeat(63)}.example`, true],
  [`${"a".repeat(64)}.example`, false],
  [`${"a.".repeat(127)}net`, false],
  ["localhost", false],
  ["1.2.3.4", false],
  ["*.example.net", false],
  ["-a.example.net", false],
  ["a..b", false],
  ["a b.example", false],
  ["", false],
])("%j is the name of a host: %s", (name, expected) => {
  expect(isHostname(name)).toBe(expected);
});
