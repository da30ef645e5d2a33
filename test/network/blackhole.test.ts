/** Packets vanish: between a node and one of its relays, around a relay's host, and between a visitor and the relay. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeNetwork } from "../support/network-tests.ts";
import { startNetworkWorld, type NetworkWorld, type RelayHost, type Stream } from "../support/network-world.ts";
import { until } from "../support/postern.ts";

const heartbeatMs = 2_000; // as a relay has it unless told otherwise
const slackMs = 500; // for processes that wait for a core
const foundMs = 2 * heartbeatMs + slackMs;
const backMs = 5_000;
const idleMs = 8_000;
const stalledMs = 4_000;
const streamPath = "/events?count=100000&everyMs=50";
const resetExitCode = 56;

let world: NetworkWorld;

/** Longest time without a byte. */
function longestGapMs({ times }: Stream): number {
  return Math.max(...times.slice(1).map((time, at) => time - (times[at] ?? time)));
}

const isUp = (relay: RelayHost): boolean | undefined =>
  world.status?.relays.find(({ name }) => name.startsWith(relay))?.up;

async function flowing(relay: RelayHost): Promise<Stream> {
  const stream = world.stream(relay, streamPath);
  await until(() => stream.times.length > 2, 5_000, "the stream flows");
  return stream;
}

describeNetwork("a network in which packets vanish", () => {
  beforeAll(async () => {
    world = await startNetworkWorld({
      environment: { RELAY_IDLE_MS: String(idleMs), RELAY_STALLED_MS: String(stalledMs) },
    });
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  test("between node and relay: both notice within two heartbeats, and the tunnel is back soon after", async () => {
    const [cut, other] = await Promise.all([flowing("relay-a"), flowing("relay-b")]);
    const since = performance.now();
    {
      const { from } = world.network;
      using _ = world.network.obstruct(`${from("node", "relay-a")} drop`, `${from("relay-a", "node")} drop`);
      const [atRelay, atNode, visitor] = await Promise.all([
        world.logged("relay-a", "tunnel.closed", since, 2 * foundMs),
        world.logged("node", "tunnel.lost", since, 2 * foundMs),
        cut.ended,
      ]);
      expect([atRelay.at, atNode.at, visitor.at].map((at) => at - since < foundMs)).toEqual([true, true, true]);
      expect([atRelay["end"], visitor.code]).toEqual(["silent", resetExitCode]);
      await until(() => isUp("relay-a") === false, 1_000, "the status says so");
      // Who asks this relay for the name does not wait: the other one serves, or an alert says that nobody is there.
      const asked = await world.visit("relay-a");
      expect(asked.status === 200 || asked.error.includes("alert")).toBe(true);
      expect(asked.ms).toBeLessThan(1_500);
      expect((await world.visit("relay-b")).status).toBe(200);
    }
    const lifted = performance.now();
    await world.logged("relay-a", "tunnel.opened", lifted, backMs);
    expect((await world.visit("relay-a")).status).toBe(200);
    await until(() => isUp("relay-a") === true, 1_000, "the status says so");
    expect(longestGapMs(other)).toBeLessThan(1_000);
    other.kill();
  });

  test("around a relay's host: the status says within two heartbeats that its tunnel is down", async () => {
    await world.healthy(10_000);
    const other = await flowing("relay-b");
    {
      using _ = world.network.obstruct(`iifname "to-relay-a" drop`, `oifname "to-relay-a" drop`);
      const ms = await until(() => isUp("relay-a") === false, 2 * foundMs, "the status says so");
      expect(ms).toBeLessThan(foundMs);
      expect(world.status?.health.status).toBe("degraded");
      expect((await world.visit("relay-b")).status).toBe(200);
    }
    await until(() => isUp("relay-a") === true, backMs, "the tunnel is back");
    expect((await world.visit("relay-a")).status).toBe(200);
    expect(longestGapMs(other)).toBeLessThan(1_000);
    other.kill();
  });

  test("between visitor and relay: who does not take its bytes, and who has nothing to say, is let go", async () => {
    const loading = world.stream("relay-a", "/endless");
    const waiting = world.stream("relay-a", "/events?count=1&everyMs=600000");
    await until(() => loading.times.length > 100, 5_000, "the download flows");
    await until(() => world.metric("relay-a", "visitors ") === 2, 5_000, "both are here");
    using _ = world.network.obstruct(`iifname "to-visitor" drop`, `oifname "to-visitor" drop`);
    loading.kill();
    waiting.kill();
    const since = performance.now();
    const ends = new Set<unknown>();
    const longestMs = idleMs + idleMs / 4 + stalledMs + slackMs; // the kernel still takes bytes for a while
    await until(
      () => {
        for (const { event, at, outcome } of world.log("relay-a"))
          if (event === "visitor.ended" && at > since) ends.add(outcome);
        return ends.has("stalled") && ends.has("idle");
      },
      longestMs,
      "both have ended",
    );
    expect(world.metric("relay-a", "visitors ")).toBe(0);
  });
});
