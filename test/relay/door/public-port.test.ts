import { randomBytes } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import type { AlertDescription } from "../../../shared/tls/alert.ts";
import { encodeAlert } from "../../../shared/tls/alert.ts";
import { encodePoolPreface } from "../../../shared/tunnel/pool.ts";
import type { Visitor } from "../../../tee-bot/tunnel/tunnel.ts";
import { clientHelloOf } from "../../support/client-hello.ts";
import { startWorld, zone } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

const alert = (description: AlertDescription): Buffer => Buffer.from(encodeAlert(description));

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write("welcome");
}

describe("the public port", () => {
  test("answers what it does not serve with the alert that says why", async () => {
    await using world = await startWorld();
    const owner = await world.addNode({ onVisitor: greet });
    await owner.tunnel.drain(0);
    const cases: [Buffer, AlertDescription][] = [
      [await clientHelloOf(`nobody.${zone}`), "unrecognized_name"],
      [await clientHelloOf("elsewhere.example.com"), "unrecognized_name"],
      [await clientHelloOf(`deeper.nobody.${zone}`), "unrecognized_name"],
      [await clientHelloOf(zone), "unrecognized_name"],
      [await clientHelloOf(""), "unrecognized_name"],
      [await clientHelloOf(owner.name), "internal_error"],
      [await clientHelloOf(`relay.${zone}`, ["h2"]), "no_application_protocol"],
      [Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "unexpected_message"],
      [Buffer.alloc(100_000, 0x01), "unexpected_message"],
    ];
    for (const [bytes, description] of cases) {
      const socket = await world.dial();
      socket.write(bytes);
      expect(await readEnd(socket)).toEqual({ how: "end", bytes: alert(description) });
    }
    expect(await world.metric("refused_total")).toBe(cases.length);
    expect(await world.metric("refused_total", 'reason="no-tunnel"')).toBe(1);
  });

  test("resets a pool connection whose pass is nobody's, or used before", async () => {
    await using world = await startWorld();
    const socket = await world.dial();
    socket.write(encodePoolPreface(new Uint8Array(16)));
    expect((await readEnd(socket)).how).toBe("reset");
    expect(await world.metric("refused_total", 'reason="unknown-pass"')).toBe(1);
  });

  test("resets a client that says half a hello and then nothing", async () => {
    await using world = await startWorld({ environment: { RELAY_HELLO_MS: "100" } });
    const socket = await world.dial();
    socket.write((await clientHelloOf(`demo.${zone}`)).subarray(0, 100));
    expect((await readEnd(socket)).how).toBe("reset");
    expect(await world.metric("refused_total", 'reason="hello-timeout"')).toBe(1);
  });

  test("serves others while thousands are connected and silent", async () => {
    const environment = { RELAY_MAX_PENDING_HELLOS_PER_ADDRESS: "100" };
    await using world = await startWorld({ environment });
    const node = await world.addNode({ onVisitor: greet });
    for (let at = 0; at < 1_000; at += 100) await Promise.all(Array.from({ length: 100 }, () => world.dial()));
    const visitor = await world.visit(node.name);
    expect((await readBytes(visitor, 7)).toString()).toBe("welcome");
    await vi.waitFor(async () => expect(await world.metric("pending_hellos ")).toBeLessThanOrEqual(100));
  });

  test("closes connections beyond its limit as they come", async () => {
    await using world = await startWorld({ environment: { RELAY_MAX_CONNECTIONS: "3" } });
    const held = await Promise.all([world.dial(), world.dial(), world.dial()]);
    const fourth = await world.dial();
    expect((await readEnd(fourth)).bytes).toHaveLength(0);
    expect(held.every((socket) => !socket.destroyed)).toBe(true);
    expect(await world.metric("refused_total", "too-many-connections")).toBe(1);
  });

  test("refuses visitors beyond its limit with an alert", async () => {
    await using world = await startWorld({ environment: { RELAY_MAX_VISITORS: "1" } });
    const node = await world.addNode({ onVisitor: greet });
    await readBytes(await world.visit(node.name), 7);
    expect((await readEnd(await world.visit(node.name))).bytes).toEqual(alert("internal_error"));
  });

  test("tells a visitor after the pairing deadline that its node does not answer", async () => {
    await using world = await startWorld({ environment: { RELAY_PAIRING_MS: "100" } });
    const node = await world.addNode({ onVisitor: ({ socket }) => socket.on("error", () => {}) });
    expect((await readEnd(await world.visit(node.name))).bytes).toEqual(alert("internal_error"));
    expect(await world.metric("refused_total", "pairing-timeout")).toBe(1);
  });

  test("resets a visitor and its node after the idle limit, and not while bytes move", async () => {
    await using world = await startWorld({ environment: { RELAY_IDLE_MS: "300" } });
    let atNode: Visitor["socket"] | undefined;
    const onVisitor = (visitor: Visitor): void => {
      atNode = visitor.socket;
      greet(visitor);
    };
    const node = await world.addNode({ onVisitor });
    const visitor = await world.visit(node.name);
    const startedAt = performance.now();
    for (let beat = 0; beat < 5; beat++) {
      await readBytes(visitor, 1);
      if (beat < 4) setTimeout(() => atNode?.write("x"), 100);
    }
    const quietAt = performance.now();
    expect((await readEnd(visitor)).how).toBe("reset");
    expect(quietAt - startedAt).toBeGreaterThan(350);
    expect(await world.metric("visitors_total", 'ended="idle"')).toBe(1);
  });

  test("survives random bytes on many connections", async () => {
    await using world = await startWorld();
    const node = await world.addNode({ onVisitor: greet });
    await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const socket = await world.dial();
        const lead = [
          Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01),
          Buffer.of(0x00, 0x50, 0x4e, 0x01),
          Buffer.alloc(0),
        ][at % 3];
        socket.end(Buffer.concat([lead ?? Buffer.alloc(0), randomBytes(600)]));
        await readEnd(socket);
      }),
    );
    expect((await readBytes(await world.visit(node.name), 7)).toString()).toBe("welcome");
  });
});
