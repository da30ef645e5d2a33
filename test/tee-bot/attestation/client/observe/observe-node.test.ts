import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../../shared/clock.ts";
import { createDohServer } from "../../../../../shared/dns/doh.ts";
import { observeNode, type ObserveOptions } from "../../../../../tee-bot/attestation/client/observe/observe-node.ts";
import type { Observation } from "../../../../../tee-bot/attestation/client/observation.ts";
import { startDohResolver } from "../../../../support/dns/doh-resolver.ts";
import { ZoneStore } from "../../../../support/dns/zone-store.ts";
import { startAttestedWorld } from "../support/attested-world.ts";

const hostname = "demo.nodes.example.net";
const account = "https://ca.example/acct/1";
const world = await startAttestedWorld({ hostname, keyset: { acme_accounts: [account] } });
const store = new ZoneStore("example.net");
const doh = await startDohResolver(store);
afterAll(async () => {
  await doh[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

function observe(changes: Partial<ObserveOptions> = {}): Promise<Observation> {
  const { address, roots } = world.verifier();
  const signal = AbortSignal.timeout(10_000);
  return observeNode({
    address,
    roots,
    askCollateral: undefined,
    resolver: undefined,
    clock: systemClock,
    signal,
    ...changes,
  });
}

describe("looking at a node", () => {
  it("finds CAA records by a resolver of ours, as a CA does: at the name or above it", async () => {
    const content = `0 issue "ca.example; accounturi=${account}"`;
    store.add({ name: "example.net", type: "CAA", content });
    const { dns } = await observe({ resolver: createDohServer({ url: doh.url, fetch }) });
    expect(dns).toEqual({ state: "found", at: "example.net", contents: [content], resolver: doh.url });
    expect(doh.queries.map(({ name }) => name)).toEqual([hostname, "nodes.example.net", "example.net"]);
  });

  it("says why CAA records are not known", async () => {
    doh.mode = "servfail";
    expect((await observe({ resolver: createDohServer({ url: doh.url, fetch }) })).dns).toMatchObject({
      state: "unknown",
      problem: expect.stringContaining("cannot tell the CAA records"),
    });
    expect((await observe()).dns).toMatchObject({
      state: "unknown",
      problem: "No resolver was asked for CAA records.",
    });
  });

  it("sees the time by the clock that it is given, and says whose that is", async () => {
    const clock = { ...systemClock, now: () => 1_900_000_000_500 };
    expect((await observe({ clock })).at).toEqual({ seconds: 1_900_000_000, clock: "this machine's clock" });
  });

  it("draws another nonce each time, and has the exporter's value for it", async () => {
    const [one, other] = await Promise.all([observe(), observe()]);
    expect(one.connection.nonce).not.toBe(other.connection.nonce);
    expect(one.connection.exporter).not.toBe(other.connection.exporter);
    expect(one.shown).toMatchObject({ evidence: { nonce: one.connection.nonce } });
  });
});
