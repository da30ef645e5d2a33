import { once } from "node:events";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { describe, expect, test, vi } from "vitest";
import { peerAlpn } from "../../../relay/peers/protocol.ts";
import { systemClock, type Clock } from "../../../shared/clock.ts";
import type { Identity } from "../../../shared/nodejs/identity-file.ts";
import { createPoolContext } from "../../../shared/nodejs/pool-tls.ts";
import type { FleetRelay } from "../../../shared/registry/messages.ts";
import { encodeFrame } from "../../../shared/tunnel/control.ts";
import { encodeProxyHeader } from "../../../shared/tunnel/proxy-header.ts";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { clientHelloOf } from "../../support/client-hello.ts";
import { EdgeStandIn } from "../../support/edge-stand-in.ts";
import { newIdentity, startWorld, zone, type RelayWorld } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

interface DoorWorld extends AsyncDisposable {
  readonly world: RelayWorld;
  /** A relay that is named to the one of `world`, and does not run. */
  readonly other: Identity;
}

const addresses = {
  sourceAddress: "198.51.100.7",
  sourcePort: 1234,
  destinationAddress: "203.0.113.1",
  destinationPort: 443,
};
/** Greets, and goes when the visitor goes. */
function greet({ socket }: Visitor): void {
  socket.on("error", () => {}).on("end", () => socket.end());
  socket.resume();
  socket.write("welcome");
}
const nothing = Buffer.alloc(0);

const fleetRelay = ({ id: relay }: Identity): FleetRelay => ({
  relay,
  host: "127.0.0.1",
  port: 1,
  name: `other.${zone}`,
  addresses: [],
  draining: false,
});

async function startDoor(options: { environment?: Record<string, string>; clock?: Clock } = {}): Promise<DoorWorld> {
  const edge = await new EdgeStandIn(zone).start();
  edge.heartbeatMs = 500;
  const other = await newIdentity();
  edge.fleet = [fleetRelay(other)];
  const world = await startWorld({ ...options, edge });
  return {
    world,
    other,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}

/** As another relay dials; without an identity it shows no certificate. */
async function dial(world: RelayWorld, identity?: Identity, session?: Buffer): Promise<TLSSocket> {
  const socket = connectTls({
    port: world.relay.port,
    host: "127.0.0.1",
    secureContext: createPoolContext(identity),
    servername: `relay.${zone}`,
    ALPNProtocols: [peerAlpn],
    rejectUnauthorized: false,
    session,
  });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

async function forward(socket: TLSSocket, name: string): Promise<void> {
  socket.write(Buffer.concat([encodeProxyHeader(addresses), await clientHelloOf(name)]));
}

describe("the door for other relays", () => {
  test("lets a relay of the fleet in with a visitor, and tells the node where that comes from", async () => {
    await using door = await startDoor();
    const { world, other } = door;
    let seen: Visitor["addresses"] | undefined;
    const onVisitor = (visitor: Visitor): void => {
      seen = visitor.addresses;
      greet(visitor);
    };
    const node = await world.addNode({ onVisitor });
    const socket = await dial(world, other);
    await forward(socket, node.name);
    expect((await readBytes(socket, 7)).toString()).toBe("welcome");
    expect(seen).toEqual(addresses);
    expect(await world.metric("forwarded_total", 'direction="in",outcome="served"')).toBe(1);
    expect(await world.metric("forwarded{", "in")).toBe(1);
  });

  test("knows a relay again in a session that is resumed", async () => {
    await using door = await startDoor();
    const { world, other } = door;
    const node = await world.addNode({ onVisitor: greet });
    const first = await dial(world, other);
    const [session] = (await once(first, "session")) as [Buffer];
    const second = await dial(world, other, session);
    expect(second.isSessionReused()).toBe(true);
    await forward(second, node.name);
    expect((await readBytes(second, 7)).toString()).toBe("welcome");
  });

  test("closes on a relay that the edge has not named, and on who shows no key", async () => {
    await using door = await startDoor();
    const { world } = door;
    const stranger = await dial(world, await newIdentity());
    expect((await readEnd(stranger)).bytes).toEqual(nothing);
    const nobody = await dial(world);
    expect((await readEnd(nobody)).bytes).toEqual(nothing);
    expect(await world.metric("refused_total", "foreign-relay")).toBe(2);
  });

  test("closes on a relay that is named no more, also when its connection is there already or resumes", async () => {
    await using door = await startDoor();
    const { world, other } = door;
    const node = await world.addNode({ onVisitor: greet });
    const waiting = await dial(world, other);
    const [session] = (await once(waiting, "session")) as [Buffer];
    world.edge.fleet = [];
    await vi.waitFor(async () => expect((await world.health()).body["others"]).toBe(0), 5_000);
    const end = readEnd(waiting);
    await forward(waiting, node.name);
    expect((await end).bytes).toEqual(nothing);
    const resumed = await dial(world, other, session);
    expect(resumed.isSessionReused()).toBe(true);
    expect((await readEnd(resumed)).bytes).toEqual(nothing);
    expect(await world.metric("forwarded_total")).toBe(0);
  });

  test("never forwards what was forwarded, even to a relay that has the node", async () => {
    await using door = await startDoor();
    const { world, other } = door;
    const third = await newIdentity();
    world.edge.fleet = [fleetRelay(other), fleetRelay(third)];
    world.edge.homes = [third.id];
    await vi.waitFor(async () => expect((await world.health()).body["others"]).toBe(2), 5_000);
    const name = world.edge.register((await newIdentity()).id, 1);
    const socket = await dial(world, other);
    const end = readEnd(socket);
    await forward(socket, name);
    expect((await end).bytes).toEqual(nothing);
    expect(await world.metric("forwarded_total", 'direction="in",outcome="refused"')).toBe(1);
    expect(await world.metric("forwarded_total", 'direction="out"')).toBe(0);
    expect(await world.metric("peers ")).toBe(0);
  });

  test("takes the node's rules for the visitor, not for the relay that forwards it", async () => {
    await using door = await startDoor({ environment: { RELAY_MAX_VISITORS_PER_NETWORK: "1" } });
    const { world, other } = door;
    const node = await world.addNode({ onVisitor: greet });
    const served = await Promise.all([dial(world, other), dial(world, other)]);
    await Promise.all(
      served.map(async (socket) => {
        await forward(socket, node.name);
        await readBytes(socket, 7);
      }),
    );
    const rules = { allow: [], deny: ["198.51.100.0/24"] };
    world.edge.tell([{ name: node.name, node: node.identity.id, epoch: 1, rules }]);
    const direct = await world.visit(node.name);
    expect((await readBytes(direct, 7)).toString()).toBe("welcome");
    const denied = await dial(world, other);
    const end = readEnd(denied);
    await forward(denied, node.name);
    expect((await end).bytes).toEqual(nothing);
    expect(await world.metric("refused_total", "not-allowed")).toBe(1);
  });

  test("lets no relay have more visitors here than its share", async () => {
    await using door = await startDoor({ environment: { RELAY_MAX_FORWARDED_PER_PEER: "1" } });
    const { world, other } = door;
    const node = await world.addNode({ onVisitor: greet });
    const [first, second] = [await dial(world, other), await dial(world, other)];
    await forward(first, node.name);
    await readBytes(first, 7);
    const end = readEnd(second);
    await forward(second, node.name);
    expect((await end).bytes).toEqual(nothing);
    first.destroy();
    await vi.waitFor(async () => expect(await world.metric("visitors ")).toBe(0), 8_000);
    const third = await dial(world, other);
    await forward(third, node.name);
    expect((await readBytes(third, 7)).toString()).toBe("welcome");
  });

  test("answers pings, and closes on other frames", async () => {
    await using door = await startDoor();
    const { world, other } = door;
    const socket = await dial(world, other);
    const ping = Buffer.from(encodeFrame({ type: "ping", data: Buffer.from("12345678") }));
    const pong = Buffer.from(encodeFrame({ type: "pong", data: Buffer.from("12345678") }));
    for (const byte of ping) socket.write(Buffer.of(byte));
    expect(await readBytes(socket, pong.length)).toEqual(pong);
    const end = readEnd(socket);
    socket.write(encodeFrame({ type: "dial", passes: [new Uint8Array(16)] }));
    await end;
  });

  const header = Buffer.from(encodeProxyHeader(addresses));
  test.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "peer-unknown-purpose"],
    ["a ClientHello without an address", Buffer.of(0x16, 3, 1, 0, 5), "peer-unknown-purpose"],
    ["a header that is none", Buffer.concat([header.subarray(0, 12), Buffer.alloc(64)]), "peer-bad-header"],
    ["a header of 64 KiB", Buffer.concat([header.subarray(0, 14), Buffer.alloc(65_535, 0xff)]), "peer-bad-header"],
    ["a header and HTTP", Buffer.concat([header, Buffer.from("GET / HTTP/1.1\r\n\r\n")]), "peer-http"],
    ["a header and a pass", Buffer.concat([header, Buffer.of(0, 0x50, 0x4e, 1), Buffer.alloc(16)]), "peer-no-hello"],
  ])("closes on %s", async (_, bytes, reason) => {
    await using door = await startDoor();
    const { world, other } = door;
    const socket = await dial(world, other);
    const end = readEnd(socket);
    socket.write(bytes);
    expect((await end).bytes).toEqual(nothing);
    expect(await world.metric("refused_total", reason)).toBe(1);
  });

  test("closes on bytes that are no frame", async () => {
    await using door = await startDoor();
    const { world, other } = door;
    const socket = await dial(world, other);
    const end = readEnd(socket);
    socket.write(Buffer.alloc(4_096));
    expect((await end).bytes).toEqual(nothing);
  });

  test("reads header and hello however they are cut", async () => {
    await using door = await startDoor();
    const { world, other } = door;
    const node = await world.addNode({ onVisitor: greet });
    const socket = await dial(world, other);
    const bytes = Buffer.concat([header, await clientHelloOf(node.name)]);
    for (let at = 0; at < bytes.length; at += 7) {
      socket.write(bytes.subarray(at, at + 7));
      if (at < 140) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect((await readBytes(socket, 7)).toString()).toBe("welcome");
  });

  test("waits neither for a header for ever, nor for a hello, nor for a handshake", async () => {
    let laterMs = 0;
    const clock = { ...systemClock, now: () => Date.now() + laterMs };
    await using door = await startDoor({ clock });
    const { world, other } = door;
    const sockets = await Promise.all([dial(world, other), dial(world, other), world.dial()]);
    sockets[0].write(header.subarray(0, 5));
    sockets[1].write(Buffer.concat([header, Buffer.of(0x16)]));
    sockets[2].write(await clientHelloOf(`relay.${zone}`, [peerAlpn]));
    const passing = setInterval(() => (laterMs += 2_000), 200);
    const ends = await Promise.all(sockets.map((socket) => readEnd(socket)));
    clearInterval(passing);
    expect(ends.map(({ how }) => how)).toEqual(["reset", "reset", "reset"]);
    expect(await world.metric("refused_total", "peer-no-header-in-time")).toBe(2);
    expect(await world.metric("refused_total", "peer-handshake")).toBe(1);
  });
});
