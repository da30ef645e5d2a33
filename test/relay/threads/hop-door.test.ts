import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HopDoor } from "../../../relay/threads/hop-door.ts";
import { HopLink, hopSecretBytes } from "../../../relay/threads/hop-link.ts";
import { systemClock, type Clock } from "../../../shared/clock.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

const secret = new Uint8Array(hopSecretBytes).fill(7);
let skippedMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() + skippedMs };
let door: HopDoor;
let port: number;
let node: Promise<Socket>;
const opened: Socket[] = [];
const nodes = createServer({ allowHalfOpen: true });

beforeEach(async () => {
  skippedMs = 0;
  nodes.listen(0, "127.0.0.1");
  await once(nodes, "listening");
  node = once(nodes, "connection").then(([socket]) => (socket as Socket).on("error", () => {}));
  const open = (id: number): Socket | undefined => {
    if (id !== 5) return undefined;
    const socket = connect({ port: (nodes.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
    opened.push(socket);
    return socket;
  };
  door = new HopDoor({ secret, open, idleMs: 60_000, clock });
  port = await door.listen();
});
afterEach(() => {
  door.destroy();
  for (const socket of opened.splice(0)) socket.destroy();
  nodes.close();
});

const hop = (id: number, by = secret): Socket => new HopLink({ id, port, secret: by }).open() as Socket;

describe("a hop to the thread that holds a tunnel", () => {
  test("carries both directions, and ends of each", async () => {
    const visitor = hop(5);
    visitor.end("hello");
    const socket = await node;
    expect((await readEnd(socket)).bytes.toString()).toBe("hello");
    socket.end("goodbye");
    expect(await readEnd(visitor)).toEqual({ how: "end", bytes: Buffer.from("goodbye") });
  });

  test("passes a reset on as a reset, whoever resets", async () => {
    const visitor = hop(5);
    visitor.write("hello");
    const socket = await node;
    await readBytes(socket, 5);
    const end = readEnd(socket);
    visitor.resetAndDestroy();
    expect((await end).how).toBe("reset");

    const next = once(nodes, "connection").then(([one]) => one as Socket);
    const another = hop(5);
    another.write("hello");
    const other = await next;
    await readBytes(other, 5);
    const otherEnd = readEnd(another);
    other.resetAndDestroy();
    expect((await otherEnd).how).toBe("reset");
  });

  test("is refused to who does not know the secret, and for a tunnel that is not held here", async () => {
    const ends = [hop(5, new Uint8Array(hopSecretBytes)), hop(6)].map((visitor) => readEnd(visitor));
    expect((await Promise.all(ends)).map(({ how }) => how)).toEqual(["reset", "reset"]);
    expect(opened).toEqual([]);
  });

  test("ends who says nothing, or leaves before all was said", async () => {
    const silent = connect(port, "127.0.0.1").on("error", () => {});
    const leaving = connect(port, "127.0.0.1").on("error", () => {});
    await Promise.all([once(silent, "connect"), once(leaving, "connect")]);
    const ends = [readEnd(silent), readEnd(leaving)];
    leaving.end("half");
    expect((await ends[1])?.how).toBe("reset");
    skippedMs = 5_001;
    expect((await ends[0])?.how).toBe("reset");
  });
});
