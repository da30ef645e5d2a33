import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { createPeerDial, type PeerDial } from "../../../relay/peers/peer-dial.ts";
import { createPoolContext } from "../../../shared/nodejs/pool-tls.ts";
import { EdgeStandIn } from "../../support/edge-stand-in.ts";
import { newIdentity, startWorld, zone, type RelayWorld } from "../../support/relay-world.ts";

/** The world of a relay that takes visitors of `other`. */
async function startHome(): Promise<
  AsyncDisposable & { world: RelayWorld; other: Awaited<ReturnType<typeof newIdentity>> }
> {
  const edge = await new EdgeStandIn(zone).start();
  const other = await newIdentity();
  const { id: relay } = other;
  edge.fleet = [{ relay, host: "127.0.0.1", port: 1, name: `other.${zone}`, addresses: [], draining: false }];
  const world = await startWorld({ edge });
  return {
    world,
    other,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}

function open(dial: PeerDial): Promise<{ socket: TLSSocket; problem: string | undefined }> {
  return new Promise((resolve) => {
    const socket = dial((problem) => resolve({ socket, problem }));
  });
}

describe("a connection to another relay", () => {
  test("proves both keys the first time, and resumes from then on", async () => {
    await using home = await startHome();
    const { world, other } = home;
    const dial = createPeerDial(world.endpoint, createPoolContext(other));
    const first = await open(dial);
    await once(first.socket, "session");
    const second = await open(dial);
    expect([first, second].map(({ problem }) => problem)).toEqual([undefined, undefined]);
    expect([first, second].map(({ socket }) => socket.isSessionReused())).toEqual([false, true]);
    for (const { socket } of [first, second]) socket.destroy();
  });

  test("has a problem when the other relay proves another key than was named, each time", async () => {
    await using home = await startHome();
    const { world, other } = home;
    const { id: relay } = await newIdentity();
    const dial = createPeerDial({ ...world.endpoint, relay }, createPoolContext(other));
    for (let time = 0; time < 2; time++) {
      const { socket, problem } = await open(dial);
      expect(problem).toBe("The relay proved another key than the edge has named.");
      socket.destroy();
    }
  });

  test("closes, and says nothing, when nobody listens", async () => {
    const { id: relay } = await newIdentity();
    const context = createPoolContext(await newIdentity());
    const dial = createPeerDial({ relay, host: "127.0.0.1", port: 1, name: `gone.${zone}` }, context);
    const socket = dial(() => expect.unreachable());
    await new Promise((resolve) => socket.once("close", resolve));
  });
});
