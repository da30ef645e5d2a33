import { expect, it } from "vitest";
import { caaIdentitiesOf } from "../../../shared/acme/caa-identity.ts";

const directory = "https://acme.ca.example:14000/dir";

it.each([
  ["the first name that it gives itself", ["ca.example", "other.example"], [], ["ca.example"]],
  ["its own name before those that are known", ["ca.example"], ["known.example"], ["ca.example"]],
  ["those that are known, when it has none", [], ["known.example"], ["known.example"]],
  ["the host of its directory, when nothing is known", [], [], ["acme.ca.example"]],
  ["the next one, when the first is no name", ['x"; issue', "ca.example"], [], ["ca.example"]],
])("a CA is named in CAA by %s", (_, caaIdentities, known, names) => {
  expect(caaIdentitiesOf({ directory, caaIdentities }, known)).toEqual(names);
});

it("a directory at an IPv6 address gives no name", () => {
  expect(caaIdentitiesOf({ directory: "https://[::1]/dir", caaIdentities: [] })).toEqual([]);
});
