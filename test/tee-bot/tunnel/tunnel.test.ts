import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { TLSSocket, connect as connectTls, createSecureContext } from "node:tls";
import { describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import type { TunnelSocket } from "../../../shared/nodejs/tunnel-socket.ts";
import { startTunnel, type TunnelState, type Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { newIdentity, startWorld, type RelayWorld } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

/** Forwards to the relay, so that a test can cut single connections; the first is the control connection. */
async function startCutter(world: RelayWorld): Promise<{ port: number; server: Server; pairs: [Socket, Socket][] }> {
  const pairs: [Socket, Socket][] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port: world.endpoint.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    for (const socket of [near, far]) socket.on("error", () => {});
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.pipe(far).pipe(near);
    pairs.push([near, far]);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server, pairs };
}

describe("the node's end of a tunnel", () => {
  test("hands over sockets that TLS can be ended on", async () => {
    await using world = await startWorld();
    const identity = await newIdentity();
    const secureContext = createSecureContext({ cert: identity.certificate, key: identity.privateKeyPem });
    const node = await world.addNode({
      onVisitor: ({ socket }) => {
        const secure = new TLSSocket(socket, { isServer: true, secureContext });
        secure.on("error", () => {});
        secure.pipe(secure);
      },
    });
    const visitor = connectTls({
      port: world.relay.port,
      host: "127.0.0.1",
      servername: node.name,
      rejectUnauthorized: false,
    });
    visitor.write("echo");
    expect((await readBytes(visitor, 4)).toString()).toBe("echo");
    visitor.end();
    await once(visitor, "close");
  });

  test("takes nobody for the relay who proves another key", async () => {
    await using world = await startWorld();
    const other = await newIdentity();
    const identity = await newIdentity();
    world.edge.register(identity.id, 1);
    const warnings: unknown[] = [];
    const log = { ...silentLog, warn: (event: string, fields?: unknown) => void warnings.push([event, fields]) };
    await using tunnel = startTunnel({
      relay: { ...world.endpoint, relay: other.id },
      identity,
      epoch: 1,
      version: "test",
      onVisitor: greet,
      clock: systemClock,
      log,
    });
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    expect(JSON.stringify(warnings)).toContain("proved another key");
    expect(tunnel.state).toBe("connecting");
    expect(await world.metric("tunnels ")).toBe(0);
  });

  test("finds a relay by a name below localhost", async () => {
    await using world = await startWorld();
    const identity = await newIdentity();
    world.edge.register(identity.id, 1);
    const states: TunnelState[] = [];
    await using _ = startTunnel({
      relay: { ...world.endpoint, host: "relay.postern.localhost" },
      identity,
      epoch: 1,
      version: "test",
      onVisitor: greet,
      onState: (state) => states.push(state),
      clock: systemClock,
      log: silentLog,
    });
    await vi.waitFor(() => expect(states).toEqual(["up"]));
  });

  test("comes back by itself when the relay was away", async () => {
    await using world = await startWorld();
    const states: TunnelState[] = [];
    const node = await world.addNode({ onVisitor: greet, onState: (state) => states.push(state) });
    await world.restart();
    await vi.waitFor(() => expect(states).toEqual(["up", "connecting", "up"]), 5_000);
    await readBytes(await world.visit(node.name), 7);
  });

  test("keeps its visitors when only the control connection is lost, but does not let their end look complete", async () => {
    await using world = await startWorld();
    const { server, pairs, port } = await startCutter(world);
    const sockets: TunnelSocket[] = [];
    const states: TunnelState[] = [];
    const node = await world.addNode({
      port,
      onVisitor: (visitor) => {
        sockets.push(visitor.socket);
        greet(visitor);
      },
      onState: (state) => states.push(state),
    });
    const visitor = await world.visit(node.name);
    await readBytes(visitor, 7);
    pairs[0]?.[0].resetAndDestroy();
    await vi.waitFor(() => expect(states).toEqual(["up", "connecting", "up"]), 3_000);
    sockets[0]?.write("still here");
    expect((await readBytes(visitor, 10)).toString()).toBe("still here");
    await readBytes(await world.visit(node.name), 7);
    sockets[0]?.end();
    expect((await readEnd(visitor)).how).toBe("reset");
    server.close();
    for (const [near] of pairs) near.destroy();
  });

  test("replaces idle connections that were cut", async () => {
    await using world = await startWorld({ environment: { RELAY_POOL_FLOOR: "4" } });
    const { server, pairs, port } = await startCutter(world);
    const node = await world.addNode({ port, onVisitor: greet });
    await vi.waitFor(async () => expect(await world.metric("pool_idle ")).toBe(4));
    for (const [near] of pairs.slice(1)) near.resetAndDestroy();
    await vi.waitFor(async () => {
      expect(pairs.length).toBe(9);
      expect(await world.metric("pool_idle ")).toBe(4);
    });
    await readBytes(await world.visit(node.name), 7);
    server.close();
    for (const [near] of pairs) near.destroy();
  });

  test("opens a session under a new epoch without losing the visitors it has", async () => {
    await using world = await startWorld();
    const states: TunnelState[] = [];
    const node = await world.addNode({ epoch: 1, onVisitor: greet, onState: (state) => states.push(state) });
    const visitor = await world.visit(node.name);
    await readBytes(visitor, 7);
    world.edge.register(node.identity.id, 2);
    node.tunnel.setEpoch(2);
    await vi.waitFor(async () => expect((await readBytes(await world.visit(node.name), 7)).toString()).toBe("welcome"));
    expect(states).not.toContain("superseded");
    expect(visitor.destroyed).toBe(false);
    expect(node.tunnel.visitors).toBe(2);
  });

  test("drains: no new visitor, the present ones to their end, and not longer than told", async () => {
    await using world = await startWorld();
    const sockets: TunnelSocket[] = [];
    const node = await world.addNode({
      onVisitor: (visitor) => {
        sockets.push(visitor.socket);
        greet(visitor);
      },
    });
    const visitor = await world.visit(node.name);
    await readBytes(visitor, 7);
    const drained = node.tunnel.drain(10_000);
    await vi.waitFor(async () => expect(await world.metric("tunnels ")).toBe(0));
    expect((await readEnd(await world.visit(node.name))).bytes.at(-1)).toBe(80);
    const rest = readEnd(visitor);
    sockets[0]?.end("the rest");
    visitor.end();
    expect(await rest).toEqual({ how: "end", bytes: Buffer.from("the rest") });
    sockets[0]?.resume();
    await drained;
    expect(node.tunnel.state).toBe("closed");
  });

  test("resets the visitors that are left when the time to drain is over", async () => {
    await using world = await startWorld();
    const node = await world.addNode({ onVisitor: greet });
    const visitor = await world.visit(node.name);
    await readBytes(visitor, 7);
    const end = readEnd(visitor);
    await node.tunnel.drain(50);
    expect((await end).how).toBe("reset");
  });

  test("survives a visitor's handler that throws", async () => {
    await using world = await startWorld();
    let visits = 0;
    const node = await world.addNode({
      onVisitor: (visitor) => {
        if (++visits <= 2) throw new Error("not ready");
        greet(visitor);
      },
    });
    expect((await readEnd(await world.visit(node.name))).bytes.at(-1)).toBe(80);
    await readBytes(await world.visit(node.name), 7);
  });
});
