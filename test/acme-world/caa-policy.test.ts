import { expect, test } from "vitest";
import { refuseByCaa, type Issuance } from "../support/acme/caa-policy.ts";
import { parseCaa } from "../support/dns/record-content.ts";

const issuance: Issuance = {
  identities: ["ca.example.test"],
  accountUri: "https://ca.example.test/account/1",
  method: "dns-01",
  wildcard: false,
};
const decide = (contents: readonly string[], change: Partial<Issuance> = {}): boolean =>
  refuseByCaa(
    contents.flatMap((content) => parseCaa(content) ?? []),
    { ...issuance, ...change },
  ) === undefined;
const account = "accounturi=https://ca.example.test/account/1";

test.each([
  ["no records", []],
  ["only a contact", ['0 iodef "mailto:a@example.test"']],
  ["the CA", ['0 issue "ca.example.test"']],
  ["the CA among others", ['0 issue "other.test"', '0 issue "CA.example.test"']],
  ["the account", [`0 issue "ca.example.test; ${account}"`]],
  ["the account and the method", [`0 issue "ca.example.test;${account}; validationmethods=http-01,dns-01"`]],
])("a CA issues under CAA that names %s", (_, contents) => {
  expect(decide(contents)).toBe(true);
});

test.each([
  ["nobody", ['0 issue ";"']],
  ["another CA", ['0 issue "other.test"']],
  ["another account", ['0 issue "ca.example.test; accounturi=https://ca.example.test/account/2"']],
  ["another method", ['0 issue "ca.example.test; validationmethods=tls-alpn-01"']],
  ["a critical property that is unknown", ['128 future "x"', '0 issue "ca.example.test"']],
])("a CA issues nothing under CAA that names %s", (_, contents) => {
  expect(decide(contents)).toBe(false);
});

test("wildcards have properties of their own", () => {
  const contents = ['0 issue "ca.example.test"', '0 issuewild ";"'];
  expect(decide(contents)).toBe(true);
  expect(decide(contents, { wildcard: true })).toBe(false);
  expect(decide(contents.slice(0, 1), { wildcard: true })).toBe(true);
});
