/** What every transport of the tunnel must do, whatever carries the bytes; run once for each. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, test, vi } from "vitest";
import { silentLog } from "../../shared/log.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { Terminator, type HttpHandler } from "../../tee-bot/server/terminator.ts";
import type { Visitor } from "../../tee-bot/tunnel/tunnel.ts";
import { newIdentity, type RelayWorld } from "../support/relay-world.ts";
import { readBytes, readEnd } from "../support/socket-events.ts";
import { greeting, startTunnelChild } from "../support/tunnel-child.ts";

type StartWorld = (options?: { environment?: Record<string, string> }) => Promise<RelayWorld>;

const mebibyte = 1024 * 1024;
/** Relay, node and a hundred visitors are one process here, which takes its time on a busy machine. */
const crowdMs = 60_000;
const patient = { RELAY_PAIRING_MS: String(crowdMs) };

/** Greets, since the relay joins both sides at the node's first byte, as TLS would send. */
function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write(greeting);
}

/** A visitor that has read the greeting, and its socket at the node, which has read the hello. */
async function join(
  world: RelayWorld,
  { onOther = greet }: { onOther?: (visitor: Visitor) => void } = {},
): Promise<{ visitor: Socket; atNode: TunnelSocket; name: string }> {
  let arrived: (socket: TunnelSocket) => void = () => {};
  const atNode = new Promise<TunnelSocket>((resolve) => (arrived = resolve));
  let visitors = 0;
  const node = await world.addNode({
    onVisitor: (visitor) => {
      if (visitors++ > 0) return onOther(visitor);
      greet(visitor);
      arrived(visitor.socket);
    },
  });
  const visitor = await world.visit(node.name);
  await readBytes(visitor, greeting.length);
  const socket = await atNode;
  socket.read();
  return { visitor, atNode: socket, name: node.name };
}

export function testTunnelBehaviour(transport: string, startWorld: StartWorld): void {
  describe(`a tunnel over ${transport}`, () => {
    test("carries the bytes of both directions unchanged", async () => {
      await using world = await startWorld();
      const { visitor, atNode } = await join(world);
      const up = randomBytes(4 * mebibyte);
      const down = randomBytes(4 * mebibyte);
      const received = Promise.all([readBytes(atNode, up.length), readBytes(visitor, down.length)]);
      visitor.write(up);
      atNode.write(down);
      const [atNodeBytes, atVisitorBytes] = await received;
      expect(sha256(atNodeBytes)).toBe(sha256(up));
      expect(sha256(atVisitorBytes)).toBe(sha256(down));
    });

    test("carries more in both directions at once than there is room for on the way", async () => {
      await using world = await startWorld();
      const { visitor, atNode } = await join(world);
      const bytes = Buffer.alloc(64 * mebibyte, 7);
      visitor.write(bytes);
      atNode.write(bytes);
      await new Promise((resolve) => setTimeout(resolve, 100)); // until every buffer is full
      const received = await Promise.all([readBytes(atNode, bytes.length), readBytes(visitor, bytes.length)]);
      expect(received.map((one) => one.equals(bytes))).toEqual([true, true]);
    });

    test("gives the node the hello from its first byte", async () => {
      await using world = await startWorld();
      const hellos: Buffer[] = [];
      const node = await world.addNode({
        onVisitor: (visitor) => {
          hellos.push(visitor.socket.read() as Buffer);
          greet(visitor);
        },
      });
      const visitor = await world.visit(node.name);
      await readBytes(visitor, greeting.length);
      expect(hellos[0]?.subarray(0, 2)).toEqual(Buffer.of(0x16, 0x03));
      expect(hellos[0]?.includes(node.name)).toBe(true);
    });

    test("passes the visitor's end on and carries what the node still has to say", async () => {
      await using world = await startWorld();
      const { visitor, atNode } = await join(world);
      visitor.end("last words");
      expect((await readEnd(atNode)).bytes.toString()).toBe("last words");
      const rest = readEnd(visitor);
      atNode.end("an answer after the end");
      expect(await rest).toEqual({ how: "end", bytes: Buffer.from("an answer after the end") });
    });

    test("passes the node's end on and carries what the visitor still has to say", async () => {
      await using world = await startWorld();
      const { visitor, atNode } = await join(world);
      atNode.end("that is all");
      expect(await readEnd(visitor)).toEqual({ how: "end", bytes: Buffer.from("that is all") });
      const rest = readEnd(atNode);
      visitor.end("thank you");
      expect(await rest).toEqual({ how: "end", bytes: Buffer.from("thank you") });
    });

    test("passes a visitor's reset on as a reset", async () => {
      await using world = await startWorld();
      const { visitor, atNode } = await join(world);
      const end = readEnd(atNode);
      visitor.resetAndDestroy();
      expect((await end).how).toBe("reset");
    });

    test("passes a node's reset on as a reset", async () => {
      await using world = await startWorld();
      const { visitor, atNode } = await join(world);
      const end = readEnd(visitor);
      atNode.resetAndDestroy();
      expect((await end).how).toBe("reset");
    });

    test("tells the node where its visitor comes from", async () => {
      await using world = await startWorld();
      let seen: Visitor["addresses"] | undefined;
      const onVisitor = (visitor: Visitor): void => {
        seen = visitor.addresses;
        greet(visitor);
      };
      const node = await world.addNode({ onVisitor });
      const visitor = await world.visit(node.name);
      await readBytes(visitor, greeting.length);
      expect(seen).toEqual({
        sourceAddress: "127.0.0.1",
        sourcePort: visitor.localPort,
        destinationAddress: "127.0.0.1",
        destinationPort: world.relay.port,
      });
    });

    test("stops a node whose visitor does not read, and serves others meanwhile", async () => {
      await using world = await startWorld();
      const { visitor, atNode, name } = await join(world);
      visitor.pause();
      const chunk = Buffer.alloc(mebibyte);
      let given = 0;
      while (given < 200 && (atNode.write(chunk), (given += 1), await drainedWithin(atNode, 300))) continue;
      expect(given).toBeLessThan(100); // what the kernels hold on the way
      expect(atNode.writableNeedDrain).toBe(true);

      const other = await world.visit(name);
      expect((await readBytes(other, greeting.length)).toString()).toBe(greeting);

      let received = 0;
      visitor.on("data", ({ length }: Buffer) => (received += length));
      atNode.end();
      expect((await readEnd(visitor)).how).toBe("end");
      expect(received).toBe(given * mebibyte);
    });

    test("serves a burst of visitors larger than what is held ready", async () => {
      await using world = await startWorld({ environment: { RELAY_POOL_FLOOR: "2" } });
      const node = await world.addNode({ onVisitor: greet });
      const greeted = await Promise.all(
        Array.from({ length: 100 }, async () => readBytes(await world.visit(node.name), greeting.length)),
      );
      expect(greeted.filter((bytes) => bytes.toString() === greeting)).toHaveLength(100);
    });

    test("gives a visitor to the node once more when its connection broke before an answer", async () => {
      await using world = await startWorld();
      let tries = 0;
      const onVisitor = (visitor: Visitor): void => {
        if (++tries === 1) visitor.socket.resetAndDestroy();
        else greet(visitor);
      };
      const node = await world.addNode({ onVisitor });
      const visitor = await world.visit(node.name);
      expect((await readBytes(visitor, greeting.length)).toString()).toBe(greeting);
      expect(tries).toBe(2);
    });

    test("tells a visitor by an alert that its connection broke twice before an answer", async () => {
      await using world = await startWorld();
      const node = await world.addNode({ onVisitor: ({ socket }) => socket.resetAndDestroy() });
      const visitor = await world.visit(node.name);
      expect((await readEnd(visitor)).bytes).toEqual(alertOf(internalError));
    });

    test("serves a node by several tunnels, and by those left when one closes", async () => {
      await using world = await startWorld();
      const identity = await newIdentity();
      const servedBy: string[] = [];
      const onVisitor = (label: string) => (visitor: Visitor) => {
        servedBy.push(label);
        greet(visitor);
      };
      const first = await world.addNode({ identity, onVisitor: onVisitor("first") });
      const second = await world.addNode({ identity, onVisitor: onVisitor("second") });
      await readBytes(await world.visit(first.name), greeting.length);
      expect(await world.metric("tunnels ")).toBe(2);
      await first.tunnel.drain(0);
      await readBytes(await world.visit(second.name), greeting.length);
      expect(servedBy.at(-1)).toBe("second");
    });

    test("gives the name to the newest epoch at once, and lets what runs finish", async () => {
      await using world = await startWorld();
      const identity = await newIdentity();
      const states: string[] = [];
      const older = await world.addNode({
        identity,
        epoch: 1,
        onVisitor: greet,
        onState: (state) => states.push(state),
      });
      const running = await world.visit(older.name);
      await readBytes(running, greeting.length);

      const arrived: TunnelSocket[] = [];
      const newer = await world.addNode({
        identity,
        epoch: 2,
        onVisitor: (visitor) => {
          arrived.push(visitor.socket);
          greet(visitor);
        },
      });
      await readBytes(await world.visit(newer.name), greeting.length);
      expect(arrived).toHaveLength(1);
      expect(states).toEqual(["up", "superseded"]);
      expect(running.destroyed).toBe(false);
      expect(older.tunnel.visitors).toBe(1);
    });

    test("resets the visitors of a node that was killed, also of one that had nothing to say", async () => {
      await using world = await startWorld();
      const { privateKeyPem, id } = await newIdentity();
      const name = world.edge.register(id, 1);
      const child = await startTunnelChild({
        relay: world.endpoint,
        transport: world.transport,
        privateKeyPem,
        epoch: 1,
        stream: 64 * mebibyte,
      });
      const busy = await world.visit(name);
      const quiet = await world.visit(name);
      await Promise.all([readBytes(busy, mebibyte), readBytes(quiet, greeting.length + 64 * mebibyte)]);
      child.kill("SIGKILL");
      const ends = await Promise.all([readEnd(busy), readEnd(quiet)]);
      expect(ends.map(({ how }) => how)).toEqual(["reset", "reset"]);
    });

    test(
      "serves others while hundreds of visitors reset, before an answer and amid one",
      { timeout: crowdMs },
      async () => {
        await using world = await startWorld({ environment: patient });
        const chunk = Buffer.alloc(mebibyte);
        const { visitor, atNode, name } = await join(world, {
          onOther: (other) => {
            greet(other);
            other.socket.write(chunk);
          },
        });
        for (let round = 0; round < 12; round++)
          await Promise.all(
            Array.from({ length: 100 }, async (_, at) => {
              const hostile = await world.visit(name);
              if (at % 2 === 0) await readBytes(hostile, greeting.length);
              hostile.resetAndDestroy();
            }),
          );
        atNode.write("still here");
        expect((await readBytes(visitor, 10)).toString()).toBe("still here");
        await readBytes(await world.visit(name), greeting.length);
        await vi.waitFor(async () => expect(await world.metric("visitors ")).toBe(2), 5_000);
        expect(await world.metric("tunnels_total")).toBe(0);
      },
    );

    test("serves others while hundreds of visitors do not read", { timeout: crowdMs }, async () => {
      await using world = await startWorld({ environment: patient });
      const chunk = Buffer.alloc(4 * mebibyte);
      const { visitor, atNode, name } = await join(world, {
        onOther: ({ socket }) => void socket.on("error", () => {}).write(chunk),
      });
      const stalled = await Promise.all(Array.from({ length: 100 }, () => world.visit(name)));
      for (const socket of stalled) socket.pause();
      atNode.write("still here");
      expect((await readBytes(visitor, 10)).toString()).toBe("still here");
      expect((await readBytes(await world.visit(name), mebibyte)).length).toBeGreaterThanOrEqual(mebibyte);
      for (const socket of stalled) socket.destroy();
    });

    test("ends the visitors of a tunnel that the relay has lost at once, and not as if all had been said", async () => {
      await using world = await startWorld();
      const { visitor } = await join(world);
      const end = readEnd(visitor);
      await world.relay[Symbol.asyncDispose]();
      expect((await end).how).toBe("reset");
      await world.restart();
    });

    test("carries TLS that ends in the node, to its last byte, and tells HTTP whose it is", async () => {
      await using world = await startWorld();
      const { certificate, privateKeyPem } = await newIdentity();
      const clients: string[] = [];
      const handler: HttpHandler = {
        request(_, response, client) {
          clients.push(`${client.sourceAddress} ${client.sourcePort}`);
          response.setHeader("connection", "close");
          response.end(chunk);
        },
        upgrade: (_, socket) => void socket.destroy(),
      };
      const chunk = randomBytes(2 * mebibyte);
      const terminator = new Terminator({ handler, log: silentLog });
      terminator.setCertificate(certificate, privateKeyPem);
      const onVisitor = ({ socket, addresses }: Visitor): void => terminator.accept(socket, addresses);
      const { name } = await world.addNode({ onVisitor });
      const visits = Array.from({ length: 20 }, async () => {
        const options = { port: world.relay.port, host: "127.0.0.1", servername: name, rejectUnauthorized: false };
        const secure = connectTls({ ...options, ALPNProtocols: ["http/1.1"] });
        await once(secure, "secureConnect");
        const me = `127.0.0.1 ${secure.localPort}`;
        secure.write(`GET / HTTP/1.1\r\nhost: ${name}\r\n\r\n`);
        const { how, bytes } = await readEnd(secure);
        return { me, how, body: sha256(bytes.subarray(-chunk.length)) };
      });
      const answers = await Promise.all(visits);
      expect(answers.map(({ how, body }) => [how, body])).toEqual(answers.map(() => ["end", sha256(chunk)]));
      expect(clients.toSorted()).toEqual(answers.map(({ me }) => me).toSorted());
      terminator.close();
    });

    test("finds a frozen node within two and a half pings and resets its visitors", async () => {
      await using world = await startWorld({ environment: { RELAY_PING_MS: "400" } });
      const { privateKeyPem, id } = await newIdentity();
      const name = world.edge.register(id, 1);
      const child = await startTunnelChild({
        relay: world.endpoint,
        transport: world.transport,
        privateKeyPem,
        epoch: 1,
        stream: 0,
      });
      const visitor = await world.visit(name);
      await readBytes(visitor, greeting.length);
      const frozenAt = performance.now();
      child.kill("SIGSTOP");
      expect((await readEnd(visitor)).how).toBe("reset");
      expect(performance.now() - frozenAt).toBeLessThan(400 * 3);
      expect((await readEnd(await world.visit(name))).bytes).toEqual(alertOf(internalError));
      child.kill("SIGKILL");
      await once(child, "exit");
    });
  });
}

const internalError = 80;
const alertOf = (description: number): Buffer => Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description);
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** False when the socket takes nothing more for `ms`. */
async function drainedWithin(socket: TunnelSocket, ms: number): Promise<boolean> {
  if (!socket.writableNeedDrain) return true;
  const drained = once(socket, "drain", { signal: AbortSignal.timeout(ms) });
  return drained.then(
    () => true,
    () => false,
  );
}
