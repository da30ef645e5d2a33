import { expect, test } from "vitest";
import { canonicalAddress, visitorAddressesOf } from "../../../workers/relays/addresses.ts";

test("the addresses of relays are those they tell, or their host where it is one", () => {
  expect(
    visitorAddressesOf([
      { host: "192.0.2.9" },
      { host: "2001:db8::9" },
      { host: "relay.example.com", addresses: ["192.0.2.7", "192.0.2.9"] },
      { host: "10.0.0.1", addresses: ["192.0.2.8"] },
      { host: "silent.example.com" },
    ]),
  ).toEqual(["192.0.2.7", "192.0.2.8", "192.0.2.9", "2001:db8::9"]);
});

test("an IPv6 address has one spelling", () => {
  expect(canonicalAddress("2001:0DB8:0:0:0:0:0:0001")).toBe("2001:db8::1");
  expect(canonicalAddress("192.0.2.7")).toBe("192.0.2.7");
});
