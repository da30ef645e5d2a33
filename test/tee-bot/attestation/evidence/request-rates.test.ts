import { describe, expect, it } from "vitest";
import { clientOf, ratesPerMinute, RequestRates } from "../../../../tee-bot/attestation/evidence/request-rates.ts";

describe("the rates of requests for evidence", () => {
  it("hold for each client, and grow again with time", () => {
    const rates = new RequestRates(0);
    for (let asked = 0; asked < ratesPerMinute.made.client; asked++)
      expect(rates.count("made", "203.0.113.1", 0)).toBeUndefined();
    expect(rates.count("made", "203.0.113.1", 0)).toBe(1_000);
    expect(rates.count("made", "203.0.113.2", 0)).toBeUndefined();
    expect(rates.count("shown", "203.0.113.1", 0)).toBeUndefined();
    expect(rates.count("made", "203.0.113.1", 1_000)).toBeUndefined();
  });

  it("hold for all clients together", () => {
    const rates = new RequestRates(0);
    for (let asked = 0; asked < ratesPerMinute.made.all; asked++) rates.count("made", `client ${asked}`, 0);
    expect(rates.count("made", "one more", 0)).toBe(50);
  });

  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
  ])("count %s as %s", (address, client) => {
    expect(clientOf(address)).toBe(client);
  });
});
