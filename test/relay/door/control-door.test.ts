import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { encodeFrame, FrameReader, tunnelAlpn, type ControlFrame } from "../../../shared/tunnel/control.ts";
import { clientHelloOf } from "../../support/client-hello.ts";
import { newIdentity, startWorld, zone, type RelayWorld } from "../../support/relay-world.ts";
import { readEnd } from "../../support/socket-events.ts";

let directory: string;
let p256: { cert: string; key: string };

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "postern-control-"));
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert], { stdio: "ignore" });
  p256 = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
});
afterAll(() => rmSync(directory, { recursive: true }));

async function dialControl(world: RelayWorld, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({
    port: world.relay.port,
    host: "127.0.0.1",
    servername: `relay.${zone}`,
    ALPNProtocols: [tunnelAlpn],
    rejectUnauthorized: false,
    ...options,
  });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

async function dialAsNode(
  world: RelayWorld,
  registered = true,
): Promise<{ socket: TLSSocket; frames: ControlFrame[] }> {
  const identity = await newIdentity();
  if (registered) world.edge.register(identity.id, 1);
  const socket = await dialControl(world, { cert: identity.certificate, key: identity.privateKeyPem });
  const frames: ControlFrame[] = [];
  const reader = new FrameReader();
  socket.on("data", (chunk: Buffer) => frames.push(...reader.push(chunk)));
  return { socket, frames };
}

const hello = encodeFrame({ type: "hello", epoch: 1, version: "test" });

describe("the door for nodes", () => {
  test("welcomes a node that proves its key and gives it passes", async () => {
    await using world = await startWorld({ environment: { RELAY_POOL_FLOOR: "5", RELAY_PING_MS: "400" } });
    const { socket, frames } = await dialAsNode(world);
    socket.write(hello);
    await vi.waitFor(() => expect(frames.map(({ type }) => type)).toEqual(["welcome", "dial"]));
    expect(frames[0]).toMatchObject({ pingMs: 400 });
    const [, dial] = frames;
    const passes = dial?.type === "dial" ? dial.passes.map((pass) => Buffer.from(pass).toString("hex")) : [];
    expect(new Set(passes).size).toBe(5);
    socket.destroy();
  });

  test("takes the frames of a node however they were cut", async () => {
    await using world = await startWorld();
    const { socket, frames } = await dialAsNode(world);
    for (const byte of hello) {
      socket.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    await vi.waitFor(() => expect(frames[0]?.type).toBe("welcome"));
    socket.destroy();
  });

  test.each([
    ["no certificate", () => ({})],
    ["a certificate with another kind of key", () => p256],
  ])("closes on who shows %s", async (_, credentials) => {
    await using world = await startWorld();
    const socket = await dialControl(world, credentials());
    socket.write(hello);
    expect((await readEnd(socket)).bytes).toHaveLength(0);
    expect(await world.metric("tunnels ")).toBe(0);
  });

  test("refuses TLS 1.2", async () => {
    await using world = await startWorld();
    const { certificate, privateKeyPem } = await newIdentity();
    const dialled = dialControl(world, { cert: certificate, key: privateKeyPem, maxVersion: "TLSv1.2" });
    await expect(dialled).rejects.toThrow(/protocol version/);
  });

  test("says that the edge does not know the node", async () => {
    await using world = await startWorld();
    const { socket, frames } = await dialAsNode(world, false);
    socket.write(hello);
    await once(socket, "close");
    expect(frames).toMatchObject([{ type: "goaway", reason: "unknown-node" }]);
  });

  const ping = encodeFrame({ type: "ping", data: new Uint8Array(8) });
  test.each<[string, Uint8Array]>([
    ["a frame that only relays send", encodeFrame({ type: "welcome", pingMs: 1_000 })],
    ["a second hello", Buffer.concat([hello, hello])],
    ["a frame of an unknown type", Uint8Array.of(0, 1, 99)],
    ["a frame of no length", Uint8Array.of(0, 0, 1)],
    ["a frame that is too long", Uint8Array.of(0xff, 0xff, 1)],
    ["an epoch that is none", Buffer.concat([Uint8Array.of(0, 13, 1), Buffer.from('{"epoch": 0}')])],
    ["a flood of pings", Buffer.concat([hello, ...Array.from({ length: 1_100 }, () => ping)])],
  ])("closes on a node that sends %s", async (_, bytes) => {
    await using world = await startWorld();
    const { socket } = await dialAsNode(world);
    socket.write(bytes);
    await once(socket, "close");
    await vi.waitFor(async () => expect(await world.metric("tunnels ")).toBe(0));
  });

  test("closes on a node that stops answering pings", async () => {
    await using world = await startWorld({ environment: { RELAY_PING_MS: "100" } });
    const { socket, frames } = await dialAsNode(world);
    socket.write(hello);
    await once(socket, "close");
    expect(frames.filter(({ type }) => type === "ping").length).toBeGreaterThan(1);
    await vi.waitFor(async () => expect(await world.metric("tunnels_total", 'ended="silent"')).toBe(1));
  });

  test("forgets those who left amid the handshake", async () => {
    await using world = await startWorld();
    const bytes = await clientHelloOf(`relay.${zone}`, [tunnelAlpn]);
    for (let round = 0; round < 3; round++)
      await Promise.all(
        Array.from({ length: 100 }, async (_, at) => {
          const socket = await world.dial();
          socket.write(bytes);
          if (at % 2 === 0) await once(socket, "readable");
          socket.resetAndDestroy();
        }),
      );
    const { socket, frames } = await dialAsNode(world);
    socket.write(hello);
    await vi.waitFor(() => expect(frames[0]?.type).toBe("welcome"));
    socket.destroy();
  });

  test("lets go of who begins a handshake and does not finish it", async () => {
    await using world = await startWorld({ environment: { RELAY_HELLO_MS: "300" } });
    const socket = await world.dial();
    socket.write(await clientHelloOf(`relay.${zone}`, [tunnelAlpn]));
    await once(socket.resume(), "end");
    await vi.waitFor(async () => expect(await world.metric("connections")).toBe(0));
  });

  test("lets 256 wait at most, not counting those who are in or have left", async () => {
    await using world = await startWorld({ environment: { RELAY_POOL_FLOOR: "1", RELAY_POOL_CAP: "1" } });
    const { socket: inside, frames } = await dialAsNode(world);
    inside.write(hello);
    await vi.waitFor(() => expect(frames[0]?.type).toBe("welcome"));
    const identity = await newIdentity();
    const options = { cert: identity.certificate, key: identity.privateKeyPem };
    const waiting: TLSSocket[] = [];
    while (waiting.length < 256)
      waiting.push(...(await Promise.all(Array.from({ length: 32 }, () => dialControl(world, options)))));
    await expect(dialControl(world, options)).rejects.toThrow(/ECONNRESET|disconnected/);
    waiting[0]?.destroy();
    const next = await vi.waitFor(() => dialControl(world, options));
    for (const socket of [...waiting, inside, next]) socket.destroy();
  });
});
