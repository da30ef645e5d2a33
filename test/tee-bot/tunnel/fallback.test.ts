import { describe, expect, test, vi } from "vitest";
import { systemClock, type Clock } from "../../../shared/clock.ts";
import { silentLog, type Log } from "../../../shared/log.ts";
import type { Tunnel, Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { isTls, letsAllPass, startMiddlebox, type Middlebox } from "../../support/middlebox.ts";
import { startWorld, type RelayWorld, type TestNode } from "../../support/relay-world.ts";
import { readBytes } from "../../support/socket-events.ts";

const greeting = "welcome";
const patience = { timeout: 8_000 };

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write(greeting);
}

/** Waits between attempts are short, so that ten minutes pass in six seconds and a trial in 300 ms. */
const hastyClock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };
/** Ten times as fast for whoever asks for the time. */
const fastClock = (start = Date.now()): Clock => ({
  ...systemClock,
  now: () => start + 10 * (Date.now() - start),
});

async function startBehind(
  world: RelayWorld,
  treat: Middlebox["treat"],
  options: { clock?: Clock; log?: Log } = {},
): Promise<{ box: Middlebox; node: TestNode; tunnel: Tunnel }> {
  const box = await startMiddlebox(world.endpoint.port, treat);
  const node = await world.addNode({ port: box.port, onVisitor: greet, random: () => 0, ...options });
  return { box, node, tunnel: node.tunnel };
}

async function expectServed(world: RelayWorld, { name }: TestNode): Promise<void> {
  expect((await readBytes(await world.visit(name), greeting.length)).toString()).toBe(greeting);
}

describe("a node that chooses its transport", () => {
  test("uses the pool where it gets through", async () => {
    await using world = await startWorld();
    const { box, node, tunnel } = await startBehind(world, letsAllPass);
    using _ = box;
    await expectServed(world, node);
    expect([tunnel.transport, tunnel.fallback]).toEqual(["pool", undefined]);
  });

  test("falls back to TLS where nothing else gets through, and says why", async () => {
    await using world = await startWorld();
    const { box, node, tunnel } = await startBehind(world, (first) => (isTls(first) ? "pass" : "reset"));
    using _ = box;
    await vi.waitFor(() => expect(tunnel.transport).toBe("tls"), patience);
    await vi.waitFor(async () => expect(await world.metric("pool_idle ")).toBeGreaterThan(0), patience);
    await expectServed(world, node);
    expect(tunnel.fallback).toMatch(/connections in a row failed/);
    expect(await world.metric("tunnels ")).toBe(1);
  });

  test("falls back where connections are swallowed, as the relay misses them", async () => {
    await using world = await startWorld({ clock: fastClock() });
    const { box, node, tunnel } = await startBehind(world, (first) => (isTls(first) ? "pass" : "swallow"));
    using _ = box;
    await vi.waitFor(() => expect(tunnel.transport).toBe("tls"), patience);
    await vi.waitFor(async () => expect(await world.metric("pool_idle ")).toBeGreaterThan(0), patience);
    await expectServed(world, node);
    expect(tunnel.fallback).toMatch(/did not reach the relay/);
  });

  test("falls back to HTTP/2 where no more than one connection gets through", async () => {
    await using world = await startWorld();
    const { box, node, tunnel } = await startBehind(world, (_, open) => (open === 0 ? "pass" : "reset"));
    using _ = box;
    await vi.waitFor(() => expect(tunnel.transport).toBe("http2"), { timeout: 12_000 });
    await vi.waitFor(() => expectServed(world, node), patience);
    expect(box.open).toBe(1);
  });

  test("returns to the pool once it gets through again, without losing a visitor", async () => {
    await using world = await startWorld();
    const { box, node, tunnel } = await startBehind(world, (first) => (isTls(first) ? "pass" : "reset"), {
      clock: hastyClock,
    });
    using _ = box;
    await vi.waitFor(() => expect(tunnel.transport).toBe("tls"), patience);
    await vi.waitFor(async () => expect(await world.metric("pool_idle ")).toBeGreaterThan(0), patience);
    const stays = await world.visit(node.name);
    await readBytes(stays, greeting.length);
    box.treat = letsAllPass;
    await vi.waitFor(() => expect(tunnel.transport).toBe("pool"), patience);
    await expectServed(world, node);
    expect(tunnel.fallback).toBeUndefined();
    expect(stays.destroyed).toBe(false);
    expect(tunnel.visitors).toBe(2);
  });

  test("stays with the fallback while the better one fails its trial", async () => {
    await using world = await startWorld();
    const kept: unknown[] = [];
    const info = (event: string, fields?: unknown): void => void (event === "transport.kept" && kept.push(fields));
    const { box, node, tunnel } = await startBehind(world, (first) => (isTls(first) ? "pass" : "reset"), {
      clock: hastyClock,
      log: { ...silentLog, info },
    });
    using _ = box;
    await vi.waitFor(() => expect(tunnel.transport).toBe("tls"), patience);
    await vi.waitFor(() => expect(kept).toHaveLength(1), patience);
    expect(kept).toMatchObject([{ transport: "tls", tried: "pool" }]);
    expect(tunnel.transport).toBe("tls");
    await expectServed(world, node);
  });

  test("does not take a relay's leave for a network that cuts connections", async () => {
    await using world = await startWorld();
    const { box, node, tunnel } = await startBehind(world, letsAllPass);
    using _ = box;
    await world.relay.drain();
    await world.restart();
    await vi.waitFor(() => expect(tunnel.state).toBe("up"), patience);
    await vi.waitFor(() => expectServed(world, node), patience);
    expect(tunnel.transport).toBe("pool");
  });

  test("uses what it was told to use, whatever happens", async () => {
    await using world = await startWorld({ transport: "pool" });
    const { box, tunnel } = await startBehind(world, (first) => (isTls(first) ? "pass" : "reset"));
    using _ = box;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([tunnel.transport, tunnel.fallback]).toEqual(["pool", undefined]);
  });
});
