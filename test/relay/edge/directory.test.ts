import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { newIdentity, startWorld, zone } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

const lookups = (requests: readonly string[]): number =>
  requests.filter((path) => path.startsWith("/v1/routes/")).length;

describe("what a relay knows", () => {
  test("is asked of the edge once when the feed has not told it, and then known", async () => {
    await using world = await startWorld();
    const identity = await newIdentity();
    const name = idHostname(identity.id, zone);
    world.edge.untold.set(name, { name, node: identity.id, epoch: 7 });
    await world.addNode({ identity, epoch: 7, registered: false, onVisitor: greet });
    await readBytes(await world.visit(name), 7);
    expect(lookups(world.edge.requests)).toBe(1);
  });

  test("includes for a while that a name does not exist", async () => {
    await using world = await startWorld();
    const visits = Array.from({ length: 20 }, async () => readEnd(await world.visit(`nobody.${zone}`)));
    await Promise.all(visits);
    await readEnd(await world.visit(`nobody.${zone}`));
    expect(lookups(world.edge.requests)).toBe(1);
  });

  test("forgets that a name did not exist when the feed tells it", async () => {
    await using world = await startWorld();
    await readEnd(await world.visit(`late.${zone}`));
    await world.addNode({ aliases: ["late"], onVisitor: greet });
    expect((await readBytes(await world.visit(`late.${zone}`), 7)).toString()).toBe("welcome");
  });

  test("serves on while the edge is down, and follows it again from its cursor", async () => {
    await using world = await startWorld();
    const node = await world.addNode({ onVisitor: greet });
    await world.edge.stop();
    await vi.waitFor(async () => expect(await world.metric("feed_connected ")).toBe(0));
    await readBytes(await world.visit(node.name), 7);
    expect((await world.health()).status).toBe(200);
    expect((await readEnd(await world.visit(`nobody.${zone}`))).bytes.at(-1)).toBe(80); // it cannot be known

    await world.edge.start();
    await vi.waitFor(() => expect(world.edge.cursors).toEqual([null, world.edge.cursor]), 5_000);
    const late = await world.addNode({ aliases: ["late"], onVisitor: greet });
    await readBytes(await world.visit(late.name), 7);
  });

  test("asks anew of an edge that does not answer its pings", async () => {
    await using world = await startWorld({ feedPingMs: 50 });
    world.edge.deaf = true;
    await vi.waitFor(() => expect(world.edge.cursors.length).toBeGreaterThan(1), 3_000);
  });

  test("lets a node back in while the edge is down, under the epoch it knows and no other", async () => {
    await using world = await startWorld();
    const identity = await newIdentity();
    const { tunnel, name } = await world.addNode({ identity, epoch: 3, onVisitor: greet });
    await world.edge.stop();
    await tunnel.drain(0);
    const states: string[] = [];
    const newer = await world.startNode({
      identity,
      epoch: 4,
      registered: false,
      onVisitor: greet,
      onState: (state) => states.push(state),
    });
    await world.addNode({ identity, epoch: 3, registered: false, onVisitor: greet });
    await readBytes(await world.visit(name), 7);
    expect([newer.tunnel.state, states]).toEqual(["connecting", []]);
  });

  test("ends the tunnel of a node whose names were withdrawn, and takes it back when they return", async () => {
    await using world = await startWorld();
    const states: string[] = [];
    const node = await world.addNode({ onVisitor: greet, onState: (state) => states.push(state) });
    world.edge.withdraw(node.identity.id);
    await vi.waitFor(() => expect(states).toEqual(["up", "connecting"]));
    expect((await readEnd(await world.visit(node.name))).bytes.at(-1)).toBe(112);
    world.edge.register(node.identity.id, 1);
    await vi.waitFor(() => expect(states).toEqual(["up", "connecting", "up"]), 5_000);
    await readBytes(await world.visit(node.name), 7);
  });

  test("refuses an older epoch for good", async () => {
    await using world = await startWorld();
    const identity = await newIdentity();
    world.edge.register(identity.id, 5);
    const states: string[] = [];
    await world.startNode({
      identity,
      epoch: 4,
      registered: false,
      onVisitor: greet,
      onState: (state) => states.push(state),
    });
    await vi.waitFor(() => expect(states).toEqual(["superseded"]));
  });

  test("lasts over a restart without the edge", async () => {
    const directory = mkdtempSync(join(tmpdir(), "postern-routes-"));
    try {
      await using world = await startWorld({ environment: { RELAY_STATE_DIR: directory } });
      const node = await world.addNode({ onVisitor: greet });
      await world.edge.stop();
      await world.restart();
      await vi.waitFor(
        async () => expect((await readBytes(await world.visit(node.name), 7)).toString()).toBe("welcome"),
        5_000,
      );
      const [head = "", routes = ""] = readFileSync(join(directory, "routes.json"), "utf8").split("\n");
      expect(JSON.parse(head)).toMatchObject({ version: 2, routes: 1 });
      expect(JSON.parse(routes)).toMatchObject([{ epoch: 1 }]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each([
    ["damaged", '{"version":2,"cursor":"g.1","rou'],
    ["cut short", '{"version":2,"cursor":"g.1","routes":3}\n'],
  ])("starts from nothing when the saved routes are %s", async (_, saved) => {
    const directory = mkdtempSync(join(tmpdir(), "postern-routes-"));
    try {
      writeFileSync(join(directory, "routes.json"), saved);
      await using world = await startWorld({ environment: { RELAY_STATE_DIR: directory } });
      expect(world.edge.cursors).toEqual([null]);
      expect((await world.health()).status).toBe(200);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("is nothing before the edge has told it: the relay runs and says that it is not well", async () => {
    await using world = await startWorld({ edgeUp: false });
    expect(await world.health()).toMatchObject({ status: 503, body: { ok: false, feed: { connected: false } } });
    await world.edge.start();
    await world.relay.informed;
    expect(await world.health()).toMatchObject({ status: 200, body: { ok: true } });
  });
});
