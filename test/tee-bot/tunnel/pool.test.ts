import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import type { TunnelSocket } from "../../../shared/nodejs/tunnel-socket.ts";
import { encodePoolPreface, poolPrefaceBytes } from "../../../shared/tunnel/pool.ts";
import { encodeProxyHeader } from "../../../shared/tunnel/proxy-header.ts";
import { dialPlain } from "../../../tee-bot/tunnel/dial.ts";
import { Pool, type Visitor } from "../../../tee-bot/tunnel/pool.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

const addresses = {
  sourceAddress: "2001:db8::1",
  sourcePort: 1234,
  destinationAddress: "2001:db8::2",
  destinationPort: 443,
};
const passes = (count: number): Uint8Array[] => Array.from({ length: count }, (_, at) => new Uint8Array(16).fill(at));

/** A port that does what a test tells it, in place of a relay's. */
async function startPort() {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const visitors: Visitor[] = [];
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: string, fields: unknown) => void warnings.push(JSON.stringify(fields)) };
  const onVisitor = (visitor: Visitor): void => void visitors.push(visitor);
  const pool = new Pool({ dial: dialPlain, onVisitor, clock: systemClock, log });
  const relay = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  return {
    sockets,
    visitors,
    warnings,
    pool,
    relay,
    [Symbol.dispose]() {
      pool.destroy();
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe("the node's pool", () => {
  test("opens one connection for each pass and says the pass on it", async () => {
    using port = await startPort();
    port.pool.dial(port.relay, passes(3));
    await vi.waitFor(() => expect(port.sockets).toHaveLength(3));
    const prefaces = await Promise.all(port.sockets.map((socket) => readBytes(socket, poolPrefaceBytes)));
    const expected = passes(3).map((pass) => Buffer.from(encodePoolPreface(pass)));
    expect(prefaces.toSorted((a, b) => Buffer.compare(a, b))).toEqual(expected);
  });

  test("gives the visitor's bytes back to the socket, wherever the header was cut", async () => {
    using port = await startPort();
    const bytes = Buffer.concat([encodeProxyHeader(addresses), Buffer.from("hello")]);
    for (const at of [1, 12, 16, 51, 52, 54]) {
      port.sockets.length = port.visitors.length = 0;
      port.pool.dial(port.relay, passes(1));
      await vi.waitFor(() => expect(port.sockets).toHaveLength(1));
      const [socket] = port.sockets;
      socket?.write(bytes.subarray(0, at));
      await new Promise((resolve) => setTimeout(resolve, 5)); // two segments rather than one
      socket?.write(bytes.subarray(at));
      await vi.waitFor(() => expect(port.visitors).toHaveLength(1));
      const [visitor] = port.visitors;
      expect(visitor?.addresses).toEqual(addresses);
      expect((await readBytes(visitor?.socket as TunnelSocket, 5)).toString()).toBe("hello");
    }
  });

  test("drops a relay that sends anything but its header", async () => {
    using port = await startPort();
    port.pool.dial(port.relay, passes(1));
    await vi.waitFor(() => expect(port.sockets).toHaveLength(1));
    const end = readEnd(port.sockets[0] as Socket);
    port.sockets[0]?.write("HTTP/1.1 400 Bad Request\r\n");
    expect((await end).how).toBe("reset");
    expect([port.visitors, port.warnings.length]).toEqual([[], 1]);
  });

  test("opens no more connections than a node may hold, however many passes it gets", async () => {
    using port = await startPort();
    for (let round = 0; round < 4; round++) port.pool.dial(port.relay, passes(600));
    await vi.waitFor(() => expect(port.sockets).toHaveLength(1_024), 5_000);
    port.pool.closeIdle();
    await port.pool.emptied();
    expect(port.sockets).toHaveLength(1_024);
  });

  test("goes on when the relay closes connections that nobody needed", async () => {
    using port = await startPort();
    port.pool.dial(port.relay, passes(1));
    await vi.waitFor(() => expect(port.sockets).toHaveLength(1));
    port.sockets[0]?.end();
    await port.pool.emptied();
    port.pool.dial(port.relay, passes(1));
    await vi.waitFor(() => expect(port.sockets).toHaveLength(2));
  });
});
