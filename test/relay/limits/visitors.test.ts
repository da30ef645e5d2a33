import { describe, expect, test, vi } from "vitest";
import { silentLog, type LogFields } from "../../../shared/log.ts";
import { encodeAlert } from "../../../shared/tls/alert.ts";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { startWorld } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

const internalError = { how: "end", bytes: Buffer.from(encodeAlert("internal_error")) };

describe("a relay's limits on visitors", () => {
  for (const [setting, reason] of [
    ["RELAY_NETWORK_BURST", "network-rate"],
    ["RELAY_NODE_BURST", "node-rate"],
    ["RELAY_MAX_VISITORS_PER_NETWORK", "network-full"],
    ["RELAY_MAX_VISITORS_PER_NODE", "node-full"],
  ] as const)
    test(`${setting}: one more is told by an alert and counted as ${reason}`, async () => {
      const rates = { RELAY_NETWORK_RATE: "1", RELAY_NODE_RATE: "1" };
      await using world = await startWorld({ environment: { ...rates, [setting]: "2" } });
      const node = await world.addNode({ onVisitor: greet });
      const visitors = [await world.visit(node.name), await world.visit(node.name)];
      for (const visitor of visitors) await readBytes(visitor, 7);
      expect(await readEnd(await world.visit(node.name))).toEqual(internalError);
      expect(await world.metric("refused_total", `reason="${reason}"`)).toBe(1);
    });

  test("count a visitor no more when it has left", async () => {
    await using world = await startWorld({
      environment: { RELAY_MAX_VISITORS_PER_NETWORK: "1", RELAY_MAX_VISITORS_PER_NODE: "1" },
    });
    const node = await world.addNode({ onVisitor: greet });
    for (let visits = 0; visits < 3; visits++) {
      const visitor = await world.visit(node.name);
      await readBytes(visitor, 7);
      visitor.resetAndDestroy();
      await vi.waitFor(async () => expect(await world.metric("visitors ")).toBe(0));
    }
  });

  test("end one that takes nothing of what waits for it, though it sends", async () => {
    await using world = await startWorld({ environment: { RELAY_STALLED_MS: "300" } });
    const node = await world.addNode({
      onVisitor: ({ socket }) => {
        socket.on("error", () => {});
        socket.on("data", () => {});
        socket.write(Buffer.alloc(64 << 20));
      },
    });
    const visitor = await world.visit(node.name);
    visitor.pause();
    const sending = setInterval(() => visitor.write("still here"), 50);
    try {
      const stalled = async (): Promise<void> =>
        expect(await world.metric("visitors_total", 'ended="stalled"')).toBe(1);
      await vi.waitFor(stalled, 5_000);
    } finally {
      clearInterval(sending);
    }
  });
});

describe("the access log of a relay", () => {
  test("has one line for each visitor, served or refused, and nothing of what was said", async () => {
    const lines: LogFields[] = [];
    const info = (event: string, fields: LogFields = {}): void =>
      void (event === "visitor.ended" && lines.push(fields));
    await using world = await startWorld({ log: { ...silentLog, info } });
    const node = await world.addNode({ onVisitor: greet });
    const visitor = await world.visit(node.name);
    await readBytes(visitor, 7);
    visitor.resetAndDestroy();
    await readEnd(await world.visit("nobody.zone.test"));
    await vi.waitFor(() => expect(lines).toHaveLength(2), 3_000);
    const served = { name: node.name, node: node.identity.id, network: "127.0.0.1", outcome: "error", bytesOut: 7 };
    expect(lines.find(({ node: one }) => one)).toMatchObject({ ...served, ms: expect.any(Number) });
    expect(lines.find(({ node: one }) => !one)).toMatchObject({ name: "nobody.zone.test", outcome: "unknown-name" });
  });

  test("can be turned off", async () => {
    const info = vi.fn();
    await using world = await startWorld({ environment: { ACCESS_LOG: "off" }, log: { ...silentLog, info } });
    await readEnd(await world.visit("nobody.zone.test"));
    expect(info.mock.calls.map(([event]) => event as string)).not.toContain("visitor.ended");
  });
});
