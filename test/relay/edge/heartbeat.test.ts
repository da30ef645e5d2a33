import { expect, test, vi } from "vitest";
import { Heartbeat } from "../../../relay/edge/heartbeat.ts";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import type { FleetRelay } from "../../../shared/registry/messages.ts";
import { EdgeStandIn } from "../../support/edge-stand-in.ts";
import { newIdentity, zone } from "../../support/relay-world.ts";

const report = { host: "127.0.0.1", port: 443, name: `relay.${zone}`, version: "1", visitors: 0, tunnels: 0 };

test("a heartbeat hands on the fleet that the edge names, and nothing while the edge is away", async () => {
  await using edge = await new EdgeStandIn(zone).start();
  const [{ id: relay, signingKey: privateKey }, { id: other }] = await Promise.all([newIdentity(), newIdentity()]);
  const endpoint = { relay: other, host: "192.0.2.7", port: 443, name: `relay2.${zone}` };
  edge.fleet = [{ ...endpoint, addresses: ["192.0.2.7"], draining: false }];
  const told: FleetRelay[][] = [];
  const shared = { clock: systemClock, random: Math.random, log: silentLog };
  const signer = { id: relay, role: "postern-relay", privateKey } as const;
  await using heartbeat = new Heartbeat({
    ...shared,
    edge: new EdgeClient({ ...shared, edge: edge.url, signer, fetch }),
    relay,
    report: () => ({ ...report, draining: false }),
    onFleet: (fleet) => told.push(fleet),
  });
  await heartbeat.accepted;
  expect(told).toEqual([edge.fleet]);

  edge.fleet = [];
  await vi.waitFor(() => expect(told.at(-1)).toEqual([]), 3_000);
  await edge.stop();
  const count = told.length;
  expect(await heartbeat.send(AbortSignal.timeout(1_000))).toBeUndefined();
  expect(told).toHaveLength(count);
});
