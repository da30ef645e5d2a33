import { expect, test } from "vitest";
import { readConfig } from "../relay/config.ts";
import { edgeTimeoutMs } from "../shared/registry/edge-client.ts";
import { graceMs, proofMs, windowMs } from "../tee-bot/tunnel/lost-relays.ts";
import { varsSchema } from "../workers/config-schema.ts";
import { renewalsPerLease } from "../workers/registry/lease.ts";
import { healthyIntervals } from "../workers/relays/liveness.ts";

const minuteMs = 60_000;
/** The zone's provider is called at once; a batch has 200 records. */
const dnsMs = 5_000;
const edge = varsSchema.parse({ ZONE: "nodes.test" });
const environment = { RELAY_EDGE_URL: "https://edge.test", RELAY_ZONE: "nodes.test", RELAY_IDENTITY_FILE: "/identity" };
const { pingMs } = readConfig(environment).limits;
/** Two pings without an answer, and the look after them. */
const noticedMs = 3 * pingMs;
const renewMs = edge.LEASE_MS / renewalsPerLease;

test("with the default timings DNS leaves a dead relay within a minute, at the word of its nodes", () => {
  expect(noticedMs + graceMs + windowMs + edgeTimeoutMs + dnsMs).toBeLessThan(minuteMs);
});

test("and at the word of its heartbeats, where a node has not noticed", () => {
  expect(healthyIntervals * edge.RELAY_HEARTBEAT_MS + renewMs + dnsMs).toBeLessThanOrEqual(minuteMs);
});

test("a node without any tunnel says which relays it does not reach before it would be told so anyway twice", () => {
  expect(proofMs).toBeLessThan(renewMs);
});
