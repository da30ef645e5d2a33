/** A NAT between node and relay has forgotten the connections that lie ready: packets vanish, nobody is told. */
import { describe, expect, test, vi } from "vitest";
import type { Visitor } from "../../tee-bot/tunnel/tunnel.ts";
import { isPool, letsAllPass, startMiddlebox } from "../support/middlebox.ts";
import { startWorld } from "../support/relay-world.ts";
import { readBytes } from "../support/socket-events.ts";
import { greeting } from "../support/tunnel-child.ts";

const floor = 8;
const environment = { RELAY_POOL_FLOOR: String(floor) };
const served = { atLeastMs: 500, atMostMs: 1_500 };

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write(greeting);
}

describe("a pool whose idle connections have died in silence", () => {
  test("serves its visitors over new ones, well before they give up", async () => {
    await using world = await startWorld({ environment });
    using box = await startMiddlebox(world.endpoint.port, letsAllPass);
    const node = await world.addNode({ port: box.port, onVisitor: greet });
    await vi.waitFor(async () => expect(await world.metric("pool_idle ")).toBe(floor));
    box.forget(isPool);
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: floor }, async () => readBytes(await world.visit(node.name), greeting.length)),
    );
    const ms = performance.now() - startedAt;
    expect(ms).toBeGreaterThan(served.atLeastMs);
    expect(ms).toBeLessThan(served.atMostMs);
    expect(await world.metric("refusals_total")).toBe(0);
  });

  test("throws the others away once a new one has answered, so that later visitors do not wait", async () => {
    await using world = await startWorld({ environment });
    using box = await startMiddlebox(world.endpoint.port, letsAllPass);
    const node = await world.addNode({ port: box.port, onVisitor: greet });
    await new Promise((resolve) => setTimeout(resolve, 5_200)); // what is younger is not suspected
    box.forget(isPool);
    await readBytes(await world.visit(node.name), greeting.length);
    const startedAt = performance.now();
    for (let visit = 0; visit < 2 * floor; visit++) await readBytes(await world.visit(node.name), greeting.length);
    expect(performance.now() - startedAt).toBeLessThan(served.atLeastMs);
    expect(node.tunnel.transport).toBe("pool");
  });

  test("leaves a visitor to a node that is alive and takes its time", async () => {
    await using world = await startWorld({ environment });
    let visits = 0;
    const node = await world.addNode({
      onVisitor: (visitor) => {
        visits++;
        setTimeout(() => greet(visitor), 1_500);
      },
    });
    const visitor = await world.visit(node.name);
    expect((await readBytes(visitor, greeting.length)).toString()).toBe(greeting);
    expect(visits).toBe(2); // a second chance, and the first of the two that answers
    expect(await world.metric("pool_idle ")).toBe(floor);
  });
});
