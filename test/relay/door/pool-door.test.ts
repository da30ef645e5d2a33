import { once } from "node:events";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { poolAlpn, encodePoolPreface } from "../../../shared/tunnel/pool.ts";
import { startWorld, zone, type RelayWorld } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

/** As a node dials a pool connection inside TLS, but for what it says then. */
async function dial(world: RelayWorld, session?: Buffer): Promise<TLSSocket> {
  const socket = connectTls({
    port: world.relay.port,
    host: "127.0.0.1",
    servername: `relay.${zone}`,
    ALPNProtocols: [poolAlpn],
    rejectUnauthorized: false,
    session,
  });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

describe("the door for pool connections inside TLS", () => {
  test("proves the relay's key with TLS 1.3 and AES-128, and the next time resumes", async () => {
    await using world = await startWorld();
    const first = await dial(world);
    expect([first.getProtocol(), first.getCipher().name]).toEqual(["TLSv1.3", "TLS_AES_128_GCM_SHA256"]);
    const key = first.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
    expect(key?.subarray(-32).toString("hex")).toBe(world.endpoint.relay);
    const [session] = (await once(first, "session")) as [Buffer];
    const second = await dial(world, session);
    expect([first.isSessionReused(), second.isSessionReused()]).toEqual([false, true]);
    first.destroy();
    second.destroy();
  });

  test.each([
    ["a pass that is nobody's", Buffer.from(encodePoolPreface(new Uint8Array(16))), "unknown-pass"],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "bad-preface"],
    ["zeros", Buffer.alloc(4_096), "bad-preface"],
  ])("closes on %s inside TLS", async (_, bytes, reason) => {
    await using world = await startWorld();
    const socket = await dial(world);
    const end = readEnd(socket);
    socket.write(bytes);
    expect(await end).toEqual({ how: "reset", bytes: Buffer.alloc(0) });
    expect(await world.metric("refused_total", reason)).toBe(1);
  });

  test("closes on whoever says nothing, or breaks off the handshake", async () => {
    const start = Date.now();
    const clock = { ...systemClock, now: () => start + 20 * (Date.now() - start) };
    await using world = await startWorld({ clock });
    const silent = await dial(world);
    const ends = readEnd(silent);
    const gone = await dial(world);
    gone.destroy();
    expect((await ends).how).toBe("reset");
    await vi.waitFor(async () => expect(await world.metric("refused_total", "no-pass-in-time")).toBe(1));
  });

  test("serves nodes while strangers wait at it", async () => {
    await using world = await startWorld({ transport: "tls" });
    const strangers = await Promise.all(Array.from({ length: 40 }, () => dial(world)));
    const node = await world.addNode({
      onVisitor: ({ socket }) => void socket.on("error", () => {}).write("welcome"),
    });
    expect((await readBytes(await world.visit(node.name), 7)).toString()).toBe("welcome");
    for (const socket of strangers) socket.destroy();
  });
});
