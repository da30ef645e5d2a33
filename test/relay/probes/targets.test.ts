import { describe, expect, it } from "vitest";
import { decideFinding } from "../../../relay/probes/prober.ts";
import { anotherKey, foreignAddress, noAddress, silent } from "../../../relay/probes/reasons.ts";
import { canonicalAddress, decideTargets, type Door } from "../../../relay/probes/targets.ts";

const one: Door = { relay: "one", port: 443, addresses: ["192.0.2.1", "2001:db8::1"] };
const two: Door = { relay: "two", port: 443, addresses: ["192.0.2.2"] };
const untold: Door = { relay: "three", port: 443, addresses: [] };
const fleet = [one, two, untold];

describe("where visitors of a name go through one relay", () => {
  it("is its addresses among those that DNS names", () => {
    expect(decideTargets(["192.0.2.1", "192.0.2.2"], one, fleet)).toEqual({ addresses: ["192.0.2.1"] });
  });

  it("is nowhere while DNS names other relays only", () => {
    expect(decideTargets(["192.0.2.2"], one, fleet)).toBeUndefined();
  });

  it("is the relay itself where DNS has no say", () => {
    expect(decideTargets(undefined, one, fleet)).toEqual({ addresses: one.addresses });
    expect(decideTargets(undefined, untold, fleet)).toBeUndefined();
  });

  it("is told to be nowhere when DNS names nothing", () => {
    expect(decideTargets([], one, fleet)).toEqual({ addresses: [], otherwise: noAddress });
  });

  it("may be an address before the relays, which is said when nothing good answers there", () => {
    const targets = decideTargets(["192.0.2.7"], one, fleet);
    expect(targets).toEqual({ addresses: ["192.0.2.7"], otherwise: foreignAddress("192.0.2.7") });
    expect(foreignAddress("192.0.2.7").detail).toBe("DNS names 192.0.2.7, which is no relay of this fleet");
    expect(decideTargets(["192.0.2.7"], untold, fleet)).toEqual({ addresses: ["192.0.2.7"] });
  });

  it("is compared in one spelling", () => {
    expect(canonicalAddress("2001:0DB8:0:0::1")).toBe("2001:db8::1");
    expect(canonicalAddress("192.0.2.1")).toBe("192.0.2.1");
  });
});

describe("what looks at several addresses come to", () => {
  const up = { outcome: "up" } as const;
  const unknown = { outcome: "unknown" } as const;

  it("is the first failure, since visitors may pick any of them", () => {
    expect(decideFinding([up, up], undefined)).toEqual(up);
    expect(decideFinding([up, silent(5), anotherKey], undefined)).toEqual(silent(5));
  });

  it("leaves out what this relay cannot reach by itself", () => {
    expect(decideFinding([unknown, up], undefined)).toEqual(up);
    expect(decideFinding([unknown, unknown], undefined)).toEqual(unknown);
    expect(decideFinding([unknown], foreignAddress("192.0.2.7"))).toEqual(unknown);
  });

  it("is what was to be said for failures, where something was", () => {
    expect(decideFinding([], noAddress)).toEqual(noAddress);
    expect(decideFinding([anotherKey], foreignAddress("192.0.2.7"))).toEqual(foreignAddress("192.0.2.7"));
    expect(decideFinding([up], foreignAddress("192.0.2.7"))).toEqual(up);
  });
});
