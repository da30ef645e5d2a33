import { describe, expect, it } from "vitest";
import { safetyHalf } from "../../../../tee-bot/attestation/client/safety-number.ts";
import { decideOwnIdentity, type ListedIdentity } from "../../../../tee-bot/bot/verify/decide-identity.ts";

const account = "+15550000001";
const aci = "0a1b2c3d-0000-4000-8000-00000000000a";
const keyOf = (fill: string): string => `05${fill.repeat(32)}`;
const half = safetyHalf(Buffer.from(keyOf("aa"), "hex"), Buffer.from(aci.replaceAll("-", ""), "hex"));
const bytes = (key: string): string => key.replaceAll(/..(?!$)/g, "$& ");
const grouped = (digits: string): string => digits.replaceAll(/.{5}(?!$)/g, "$& ");

const own: ListedIdentity = {
  number: account,
  uuid: aci,
  fingerprint: bytes(keyOf("aa")),
  safety_number: grouped(half + half),
};
/** The account's other key, of its number. */
const ofNumber: ListedIdentity = {
  ...own,
  fingerprint: bytes(keyOf("bb")),
  safety_number: grouped(half + "1".repeat(30)),
};
const person = (digits: string): ListedIdentity => ({
  number: "+15550000002",
  uuid: "0a1b2c3d-0000-4000-8000-00000000000b",
  fingerprint: bytes(keyOf("cc")),
  safety_number: grouped(digits),
});

describe("the bot's own Signal identity", () => {
  it("is the entry of the account, whose half twice is its safety number with itself", () => {
    expect(decideOwnIdentity([person(half + "2".repeat(30)), own], account)).toEqual({
      key: keyOf("aa"),
      safetyNumber: half,
    });
  });

  it("is not the account's other key, in whatever order they are listed", () => {
    expect(decideOwnIdentity([ofNumber, own], account)?.key).toBe(keyOf("aa"));
    expect(decideOwnIdentity([own, ofNumber], account)?.key).toBe(keyOf("aa"));
    expect(decideOwnIdentity([ofNumber], account)).toBeUndefined();
  });

  it("is known by the numbers of others where signal-cli shows none for the account", () => {
    const bare = { ...own, safety_number: "" };
    expect(decideOwnIdentity([bare, person("1".repeat(30) + half)], account)?.key).toBe(keyOf("aa"));
    expect(decideOwnIdentity([bare, person("1".repeat(60))], account)).toBeUndefined();
    expect(decideOwnIdentity([bare], account)).toBeUndefined();
  });

  it("is not known from what is no list of keys", () => {
    expect(decideOwnIdentity([], account)).toBeUndefined();
    expect(decideOwnIdentity([{ ...own, uuid: undefined }], account)).toBeUndefined();
    expect(decideOwnIdentity([{ ...own, fingerprint: "ff" }], account)).toBeUndefined();
    expect(decideOwnIdentity([own], "+15550000009")).toBeUndefined();
  });
});
