import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { freshIdentity } from "../support/identities.ts";
import { HeartbeatMemory } from "../../../workers/relays/heartbeat-memory.ts";

const { id } = await freshIdentity();
const report = { host: "a", port: 1, name: "a", version: "1", visitors: 0, tunnels: 0, draining: false };
const heartbeatMs = 10_000;

test("a heartbeat is remembered for a moment, and that there is none is remembered too", () => {
  const memory = new HeartbeatMemory();
  expect(memory.recent(id, { now: 0, heartbeatMs })).toBeUndefined();
  memory.remember(id, undefined, 0);
  expect(memory.recent(id, { now: 2_499, heartbeatMs })).toMatchObject({ heartbeat: undefined });
  memory.remember(id, { report, at: 90 }, 100);
  expect(memory.recent(id, { now: 2_599, heartbeatMs })?.heartbeat).toEqual({ report, at: 90 });
  expect(memory.recent(id, { now: 2_600, heartbeatMs })).toBeUndefined();
  expect(memory.last(id)).toEqual({ report, at: 90 });
});

test("it is remembered for a quarter of a short interval, and not into the past", () => {
  const memory = new HeartbeatMemory();
  memory.remember(id, { report, at: 0 }, 1_000);
  expect(memory.recent(id, { now: 1_249, heartbeatMs: 1_000 })).toBeDefined();
  expect(memory.recent(id, { now: 1_250, heartbeatMs: 1_000 })).toBeUndefined();
  expect(memory.recent(id, { now: 999, heartbeatMs: 1_000 })).toBeUndefined();
});

test("one memory belongs to one environment", () => {
  expect(HeartbeatMemory.of(env)).toBe(HeartbeatMemory.of(env));
  expect(HeartbeatMemory.of({ ...env })).not.toBe(HeartbeatMemory.of(env));
});
