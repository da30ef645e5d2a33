import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Observations } from "../../../relay/probes/observations.ts";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import type { Observation } from "../../../shared/registry/messages.ts";
import { EdgeStandIn } from "../../support/edge-stand-in.ts";
import { until } from "../../support/postern.ts";
import { newIdentity } from "../../support/relay-world.ts";

const identity = await newIdentity();
let edge: EdgeStandIn;
let observations: Observations;

beforeEach(async () => {
  edge = await new EdgeStandIn("zone.test").start();
  const signer = { id: identity.id, role: "postern-relay", privateKey: identity.signingKey } as const;
  const client = new EdgeClient({ edge: edge.url, signer, clock: systemClock, fetch });
  const parts = { clock: systemClock, random: () => 0, log: silentLog };
  observations = new Observations({ edge: client, relay: identity.id, ...parts });
});
afterEach(async () => {
  await observations[Symbol.asyncDispose]();
  await edge[Symbol.asyncDispose]();
});

const of = (hostname: string, state: "up" | "down" = "up"): Observation => ({
  node: identity.id,
  relay: identity.id,
  hostname,
  state,
  checkedAt: 1,
});
const requests = () => edge.requests.filter((path) => path.endsWith("/observations")).length;

describe("what probes have found", () => {
  it("is told together, the newest of each path", async () => {
    for (const state of ["up", "down"] as const) observations.add(of("a.zone.test", state));
    observations.add(of("b.zone.test"));
    await until(() => edge.observations.length > 0, 5_000, "the edge hears");
    expect(edge.observations).toEqual([of("a.zone.test", "down"), of("b.zone.test")]);
    expect(requests()).toBe(1);
  });

  it("is told in requests of a hundred", async () => {
    for (let at = 0; at < 150; at++) observations.add(of(`n${at}.zone.test`));
    await until(() => edge.observations.length === 150, 8_000, "the edge hears all");
    expect(requests()).toBe(2);
  });

  it("is kept while the edge is away, and told when it is back", async () => {
    await edge.stop();
    observations.add(of("a.zone.test"));
    await systemClock.sleep(1_500);
    observations.add(of("a.zone.test", "down"));
    await edge.start();
    await until(() => edge.observations.length > 0, 8_000, "the edge hears");
    expect(edge.observations).toEqual([of("a.zone.test", "down")]);
  });
});
