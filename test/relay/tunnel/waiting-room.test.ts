import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pairing, PendingVisitor } from "../../../relay/tunnel/tunnel.ts";
import { WaitingRoom, type WaitingRoomOptions } from "../../../relay/tunnel/waiting-room.ts";
import { systemClock } from "../../../shared/clock.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

let server: Server;

beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => void server.close());

/** A connection of the relay to a node, and the node's end of it. */
async function join(): Promise<{ atRelay: Socket; atNode: Socket }> {
  const { port } = server.address() as AddressInfo;
  const atRelay = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
  const [[atNode]] = (await Promise.all([once(server, "connection"), once(atRelay, "connect")])) as [[Socket], unknown];
  return { atRelay, atNode: atNode.on("error", () => {}) };
}

const sourceAddress = "192.0.2.1";
const addresses = { sourceAddress, sourcePort: 1, destinationAddress: sourceAddress, destinationPort: 443 };
const visitor = (changes: Partial<PendingVisitor> = {}): PendingVisitor => ({
  addresses,
  firstBytes: Buffer.from("hello"),
  gone: false,
  ...changes,
});

function room(options: Partial<WaitingRoomOptions> = {}): { room: WaitingRoom; found: boolean[] } {
  const found: boolean[] = [];
  const onAssigned = (_: unknown, has: boolean): void => void found.push(has);
  const fixed = { pairingMs: 10_000, clock: systemClock, onLess: () => {} };
  return { room: new WaitingRoom({ ...fixed, onAssigned, ...options }), found };
}

async function answer(atNode: Socket): Promise<void> {
  await readBytes(atNode, 5);
  atNode.write("answer");
}

describe("the waiting room of a tunnel", () => {
  test("gives a visitor the connection that has waited longest", async () => {
    const { room: waiting, found } = room();
    const [first, second] = [await join(), await join()];
    for (const { atRelay } of [first, second]) waiting.adopt(atRelay);
    const pairing = waiting.pairings.begin(visitor());
    await answer(first.atNode);
    expect(await pairing).toMatchObject({ kind: "paired", socket: first.atRelay });
    expect([found, waiting.idle, waiting.waiting]).toEqual([[true], 1, 0]);
    waiting.close();
    waiting.pairings.destroy();
  });

  test("gives a connection to the visitor who has waited longest and is still there", async () => {
    const { room: waiting, found } = room();
    const [gone, first, second] = [visitor({ gone: true }), visitor(), visitor()].map((one) =>
      waiting.pairings.begin(one),
    );
    const { atRelay, atNode } = await join();
    waiting.adopt(atRelay);
    await answer(atNode);
    expect(await gone).toEqual({ kind: "failed", reason: "gone" });
    expect(await first).toMatchObject({ kind: "paired", socket: atRelay });
    waiting.failOne();
    expect(await second).toEqual({ kind: "failed", reason: "broken" });
    expect([found, waiting.waiting]).toEqual([[false, false, false], 0]);
    waiting.close();
    waiting.pairings.destroy();
  });

  test("closes the connections that have waited longest, as many as it is told", async () => {
    let now = 1_000;
    const { room: waiting } = room({ clock: { ...systemClock, now: () => now++ } });
    const joined = [await join(), await join(), await join()];
    for (const { atRelay } of joined) waiting.adopt(atRelay);
    waiting.closeIdle(now, 1);
    expect((await readEnd(joined[0]!.atNode)).how).toBe("reset");
    expect(waiting.idle).toBe(2);
    waiting.closeIdle(999);
    expect(waiting.idle).toBe(2);
    waiting.close();
  });

  test("has no room for ever more visitors", async () => {
    const { room: waiting } = room();
    const pairings: Promise<Pairing>[] = Array.from({ length: 1_025 }, () => waiting.pairings.begin(visitor()));
    expect(await pairings.at(-1)).toEqual({ kind: "failed", reason: "busy" });
    expect(waiting.waiting).toBe(1_024);
    waiting.close();
    expect(await pairings[0]).toEqual({ kind: "failed", reason: "closed" });
  });

  test("resets what waits, and what comes, once it is closed", async () => {
    const { room: waiting } = room();
    const [idle, late] = [await join(), await join()];
    waiting.adopt(idle.atRelay);
    waiting.close();
    waiting.adopt(late.atRelay);
    for (const { atNode } of [idle, late]) expect((await readEnd(atNode)).how).toBe("reset");
    expect(waiting.idle).toBe(0);
  });
});
