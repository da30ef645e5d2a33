import { describe, expect, test, vi } from "vitest";
import type { Visitor } from "../../tee-bot/tunnel/tunnel.ts";
import { startWorld } from "../support/relay-world.ts";
import { readBytes, readEnd } from "../support/socket-events.ts";

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

describe("a relay", () => {
  test("reports itself to the edge, with what it carries", async () => {
    await using world = await startWorld({ environment: { RELAY_PUBLIC_HOST: "192.0.2.1", RELAY_PLACE: "1,2" } });
    expect(world.edge.reports[0]).toMatchObject({
      host: "192.0.2.1",
      port: world.relay.port,
      name: "relay.zone.test",
      place: { latitude: 1, longitude: 2 },
      draining: false,
    });
    const node = await world.addNode({ onVisitor: greet });
    await readBytes(await world.visit(node.name), 7);
    await vi.waitFor(() => expect(world.edge.reports.at(-1)).toMatchObject({ tunnels: 1, visitors: 1 }), 3_000);
  });

  test("gives nodes the addresses of IPv4 visitors as such when it listens on both families", async () => {
    await using world = await startWorld({ environment: { RELAY_LISTEN_HOST: "::" } });
    const seen: Visitor["addresses"][] = [];
    const onVisitor = (visitor: Visitor): void => {
      seen.push(visitor.addresses);
      greet(visitor);
    };
    const node = await world.addNode({ onVisitor });
    await readBytes(await world.visit(node.name), 7);
    expect(seen).toMatchObject([{ sourceAddress: "127.0.0.1", destinationAddress: "127.0.0.1" }]);
  });

  test("drains: tells edge and nodes, and waits no longer than the last visitor takes", async () => {
    await using world = await startWorld({ environment: { RELAY_DRAIN_QUIET_MS: "100" } });
    const states: string[] = [];
    const sockets: Visitor["socket"][] = [];
    const node = await world.addNode({
      onVisitor: (visitor) => {
        sockets.push(visitor.socket);
        greet(visitor);
      },
      onState: (state) => states.push(state),
    });
    const visitor = await world.visit(node.name);
    await readBytes(visitor, 7);
    const drained = world.relay.drain();
    await vi.waitFor(() => expect(states).toEqual(["up", "draining"]));
    await expect(world.health()).resolves.toMatchObject({ status: 503, body: { draining: true } });
    expect(await world.ready()).toBe(503);
    await vi.waitFor(() => expect(world.dial()).rejects.toThrow("ECONNREFUSED"));
    const rest = readEnd(visitor);
    sockets[0]?.end("the rest");
    visitor.end();
    expect(await rest).toEqual({ how: "end", bytes: Buffer.from("the rest") });
    await drained;
    expect(world.edge.reports.at(-1)).toMatchObject({ draining: true });
  });

  test("serves who still comes while it drains, and takes no new tunnel", async () => {
    await using world = await startWorld({ environment: { RELAY_DRAIN_QUIET_MS: "2000" } });
    expect(await world.ready()).toBe(200);
    const states: string[] = [];
    const node = await world.addNode({ onVisitor: greet, onState: (state) => states.push(state) });
    const drained = world.relay.drain();
    await vi.waitFor(() => expect(states).toEqual(["up", "draining"]));
    for (let visits = 0; visits < 50; visits++) {
      const visitor = await world.visit(node.name);
      expect((await readBytes(visitor, 7)).toString()).toBe("welcome");
      visitor.resetAndDestroy();
    }
    const late: string[] = [];
    await world.startNode({ identity: node.identity, onVisitor: greet, onState: (state) => late.push(state) });
    await vi.waitFor(() => expect(late).toContain("draining"));
    expect(late).not.toContain("up");
    expect(await world.metric("tunnels ")).toBe(1);
    await drained;
  });

  test("closes at once when it has no tunnel: a visitor finds the next address sooner by that", async () => {
    await using world = await startWorld();
    const startedAt = Date.now();
    await world.relay.drain();
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    await expect(world.dial()).rejects.toThrow("ECONNREFUSED");
  });

  test("ends a drain at its limit and resets who is still there", async () => {
    const world = await startWorld({ environment: { RELAY_DRAIN_MS: "300" } });
    const node = await world.addNode({ onVisitor: greet });
    const visitor = await world.visit(node.name);
    await readBytes(visitor, 7);
    await world.relay.drain();
    const end = readEnd(visitor);
    await world[Symbol.asyncDispose]();
    expect((await end).how).toBe("reset");
  });

  test("counts visitors, bytes, pairings and tunnels, and names nobody", async () => {
    await using world = await startWorld();
    const node = await world.addNode({ onVisitor: greet });
    const visitor = await world.visit(node.name);
    await readBytes(visitor, 7);
    expect(await world.metric("visitors ")).toBe(1);
    expect(await world.metric("tunnels ")).toBe(1);
    expect(await world.metric("pairing_seconds_count")).toBe(1);
    expect(await world.metric("bytes_total", "sent")).toBe(7);
    visitor.resetAndDestroy();
    await vi.waitFor(async () => expect(await world.metric("visitors_total", 'ended="error"')).toBe(1));
    expect(await world.metric("visitors ")).toBe(0);
    expect(await world.metric("bytes_total", "sent")).toBe(7);
    const text = await (await fetch(`http://127.0.0.1:${world.relay.privatePort}/metrics`)).text();
    expect(text).not.toMatch(/zone\.test|127\.0\.0\.1/);
    expect(text).not.toContain(node.identity.id);
  });

  test("answers on its private port what it has, and nothing else", async () => {
    await using world = await startWorld();
    const ask = async (path: string, method = "GET"): Promise<number> =>
      (await fetch(`http://127.0.0.1:${world.relay.privatePort}${path}`, { method })).status;
    expect(await Promise.all([ask("/healthz?x"), ask("/"), ask("//"), ask("/metrics", "POST")])).toEqual([
      200, 404, 404, 405,
    ]);
  });

  test("keeps to the number of tunnels a node may have", async () => {
    await using world = await startWorld({ environment: { RELAY_MAX_TUNNELS_PER_NODE: "1" } });
    const node = await world.addNode({ onVisitor: greet });
    const second = await world.startNode({ identity: node.identity, onVisitor: greet });
    await node.tunnel.drain(0);
    await vi.waitFor(() => expect(second.tunnel.state).toBe("up"), 3_000);
  });
});
