import { describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import type { Identity } from "../../../shared/nodejs/identity-file.ts";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { Tunnels } from "../../../tee-bot/tunnel/tunnels.ts";
import { newIdentity, startWorld } from "../../support/relay-world.ts";
import { readBytes } from "../../support/socket-events.ts";

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

function tunnelsOf(identity: Identity, onDraining = (): void => {}): Tunnels {
  const ignore = (): void => {};
  const events = { onVisitor: greet, onChange: ignore, onSuperseded: ignore, onDraining, onLost: ignore };
  return new Tunnels({
    identity,
    transport: "auto",
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    ...events,
  });
}

describe("a node's tunnels", () => {
  test("to a relay that drains serve on while the next one is opened", async () => {
    await using first = await startWorld({ environment: { RELAY_DRAIN_QUIET_MS: "1000" } });
    await using second = await startWorld();
    const identity = await newIdentity();
    const name = first.edge.register(identity.id, 1);
    second.edge.register(identity.id, 1);
    const told = vi.fn(() => tunnels.follow({ relays: [second.endpoint], epoch: 1 }));
    const tunnels = tunnelsOf(identity, told);
    tunnels.follow({ relays: [first.endpoint], epoch: 1 });
    await vi.waitFor(() => expect(tunnels.up).toEqual([first.endpoint]));

    const drained = first.relay.drain();
    await vi.waitFor(() => expect(tunnels.up).toEqual([second.endpoint]));
    expect(told).toHaveBeenCalledOnce();
    for (const world of [first, second]) await readBytes(await world.visit(name), 7);
    await tunnels.drain(0);
    await drained;
  });

  test("to a relay that is named no more take visitors a while longer", async () => {
    await using first = await startWorld();
    await using second = await startWorld();
    const identity = await newIdentity();
    const name = first.edge.register(identity.id, 1);
    second.edge.register(identity.id, 1);
    const tunnels = tunnelsOf(identity);
    tunnels.follow({ relays: [first.endpoint], epoch: 1 });
    await vi.waitFor(() => expect(tunnels.up).toEqual([first.endpoint]));
    const visitor = await first.visit(name);
    await readBytes(visitor, 7);

    tunnels.follow({ relays: [second.endpoint], epoch: 1 });
    await vi.waitFor(() => expect(tunnels.up).toEqual([second.endpoint]));
    await readBytes(await first.visit(name), 7);
    expect(visitor.destroyed).toBe(false);
    await tunnels.drain(0);
    await vi.waitFor(async () => expect(await first.metric("tunnels ")).toBe(0));
  });

  test("stay as they are when the edge names no relay at all", async () => {
    await using world = await startWorld();
    const identity = await newIdentity();
    world.edge.register(identity.id, 1);
    const tunnels = tunnelsOf(identity);
    tunnels.follow({ relays: [world.endpoint], epoch: 1 });
    await vi.waitFor(() => expect(tunnels.up).toHaveLength(1));
    tunnels.follow({ relays: [], epoch: 1 });
    expect(tunnels.up).toEqual([world.endpoint]);
    await tunnels.drain(0);
  });
});
