import { describe, expect, test, vi } from "vitest";
import { encodeAlert } from "../../../shared/tls/alert.ts";
import type { NodeRules } from "../../../shared/registry/messages.ts";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { startWorld, type RelayWorld, type TestNode } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

/** Resolves when the relay has been told. */
async function setRules(world: RelayWorld, { identity, name }: TestNode, rules: Partial<NodeRules>): Promise<void> {
  const before = await world.metric("routes ");
  const marker = `marker-${Math.random().toString(36).slice(2)}.zone.test`;
  world.edge.tell([
    { name, node: identity.id, epoch: 1, rules: { allow: [], deny: [], ...rules } },
    { name: marker, node: identity.id, epoch: 1, rules: { allow: [], deny: [], ...rules } },
  ]);
  await vi.waitFor(async () => expect(await world.metric("routes ")).toBe(before + 1));
}

describe("a node's rules", () => {
  test("keep visitors out by their network, told by an alert, until they are changed", async () => {
    await using world = await startWorld();
    const node = await world.addNode({ onVisitor: greet });
    const denied = { how: "end", bytes: Buffer.from(encodeAlert("access_denied")) };
    for (const rules of [{ deny: ["127.0.0.0/8"] }, { allow: ["192.0.2.0/24", "::/0"] }]) {
      await setRules(world, node, rules);
      expect(await readEnd(await world.visit(node.name))).toEqual(denied);
    }
    expect(await world.metric("refused_total", 'reason="not-allowed"')).toBe(2);
    await setRules(world, node, { allow: ["127.0.0.1/32"], deny: ["192.0.2.0/24"] });
    await readBytes(await world.visit(node.name), 7);
  });

  test("bound the bytes of all its visitors together, lose none, and pass ends on", async () => {
    await using world = await startWorld();
    const payload = Buffer.alloc(400_000, "0123456789");
    const node = await world.addNode({
      onVisitor: ({ socket }) => {
        socket.on("error", () => {});
        socket.resume();
        socket.end(payload);
      },
    });
    await setRules(world, node, { bytesPerSecond: 200_000 });
    const startedAt = performance.now();
    const ends = await Promise.all(
      [0, 1].map(async () => {
        const visitor = await world.visit(node.name);
        const end = await readEnd(visitor);
        visitor.end();
        return end;
      }),
    );
    const tookMs = performance.now() - startedAt;
    for (const end of ends) expect(end).toEqual({ how: "end", bytes: payload });
    // 800,000 bytes, of which the first 200,000 are there from the start.
    expect(tookMs).toBeGreaterThan(2_500);
    expect(tookMs).toBeLessThan(6_000);
  });
});
