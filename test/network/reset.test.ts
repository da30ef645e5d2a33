/** A firewall that resets connections: the control connection, pool connections, and whatever is more than one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeNetwork } from "../support/network-tests.ts";
import { startNetworkWorld, type NetworkWorld } from "../support/network-world.ts";
import { until } from "../support/postern.ts";

const poolMark = 1;
/** A pool connection that is not inside TLS begins with these bytes. */
const marksPools = `@ih,0,32 0x00504e01 ct mark set ${poolMark}`;
const reset = "reject with tcp reset";
const few = 4;
const backMs = 5_000;
const fallBackMs = 20_000;
const recoverMs = 30_000; // ten hasty minutes, and a trial

/** Visitors whose connections are cut until the node knows that this is so for all. */
const unlucky = 8;

let world: NetworkWorld;

const transportTo = (relay: string): string | undefined =>
  world.status?.relays.find(({ name }) => name.startsWith(relay))?.transport;

describeNetwork("a firewall that resets connections", () => {
  beforeAll(async () => {
    const prepare: Parameters<typeof startNetworkWorld>[0] = {
      nodeScript: "test/support/hasty-node.ts",
      prepare: (network) => void network.obstruct(marksPools),
    };
    world = await startNetworkWorld(prepare);
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  test("of control: visitors stay, and the tunnel is back at once", async () => {
    const stream = world.stream("relay-a", "/events?count=100000&everyMs=50");
    await until(() => stream.times.length > 2, 5_000, "the stream flows");
    const since = performance.now();
    {
      const { from } = world.network;
      const ofControl = (path: string): string => `${path} ct mark != ${poolMark} ${reset}`;
      using _ = world.network.obstruct(ofControl(from("node", "relay-a")), ofControl(from("relay-a", "node")));
      await world.logged("relay-a", "tunnel.closed", since, backMs);
      await world.logged("node", "tunnel.lost", since, backMs);
    }
    await world.logged("relay-a", "tunnel.opened", since, backMs);
    expect((await world.visit("relay-a")).status).toBe(200);
    const seen = stream.times.length;
    await until(() => stream.times.length > seen + 5, 1_000, "the stream still flows");
    stream.kill();
    await world.healthy(backMs);
  });

  test("of pool connections: the node falls back to TLS, and leaves it once they are let through", async () => {
    const since = performance.now();
    {
      using _ = world.network.obstruct(`${world.network.from("node", "relay-a")} ct mark ${poolMark} ${reset}`);
      // Those that lie ready are not noticed before they are used; each visitor gets another one.
      for (let visit = 0; visit < unlucky; visit++) void world.visit("relay-a");
      await until(() => transportTo("relay-a") === "tls", fallBackMs, "the node uses TLS");
      await until(() => world.metric("relay-a", "pool_idle ") > 0, backMs, "connections lie ready");
      const visits = await Promise.all(Array.from({ length: 5 }, () => world.visit("relay-a")));
      expect(visits.map(({ status, error }) => `${status} ${error}`)).toEqual(visits.map(() => "200 "));
      expect(transportTo("relay-b")).toBe("pool");
      expect(world.status?.relays.every(({ up }) => up)).toBe(true);
    }
    await until(() => transportTo("relay-a") === "pool", recoverMs, "the node uses the pool again");
    expect((await world.logged("node", "transport.recovered", since, 1_000))["to"]).toBe("pool");
    expect((await world.visit("relay-a")).status).toBe(200);
  });

  test("of all but a few: the node falls back to a single connection, and leaves it too", async () => {
    {
      const path = world.network.from("node", "relay-a");
      using _ = world.network.obstruct(
        `${path} ct mark ${poolMark} ${reset}`,
        `${path} ct state new ct count over ${few} ${reset}`,
      );
      for (let visit = 0; visit < unlucky; visit++) void world.visit("relay-a");
      await until(() => transportTo("relay-a") === "http2", 2 * fallBackMs, "the node uses one connection");
      await until(async () => (await world.visit("relay-a")).status === 200, backMs, "it serves");
    }
    await until(() => transportTo("relay-a") === "pool", recoverMs, "the node uses the pool again");
    expect((await world.visit("relay-a")).status).toBe(200);
  });
});
