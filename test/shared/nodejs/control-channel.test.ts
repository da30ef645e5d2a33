import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { systemClock, type Clock } from "../../../shared/clock.ts";
import { ControlChannel, type ChannelEnd } from "../../../shared/nodejs/control-channel.ts";
import { encodeFrame, FrameReader, type ControlFrame } from "../../../shared/tunnel/control.ts";

const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

async function startChannel({ clock = systemClock, maxFramesPerSecond = Infinity } = {}) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  server.close();
  opened.push(peer, socket);
  peer.on("error", () => {});

  const heard: ControlFrame[] = [];
  const reader = new FrameReader();
  peer.on("data", (chunk: Buffer) => heard.push(...reader.push(chunk)));
  const frames: ControlFrame[] = [];
  const ends: [ChannelEnd, string][] = [];
  const channel = new ControlChannel({
    socket,
    clock,
    maxFramesPerSecond,
    onFrame: (frame) => frames.push(frame),
    onEnd: (end, detail) => ends.push([end, detail]),
  });
  return { channel, peer, socket, frames, heard, ends };
}

const ping = (byte: number): ControlFrame => ({ type: "ping", data: new Uint8Array(8).fill(byte) });

describe("control channel", () => {
  test("gives frames to its owner and answers pings itself", async () => {
    const { peer, frames, heard } = await startChannel();
    peer.write(encodeFrame({ type: "welcome", pingMs: 500 }));
    peer.write(encodeFrame(ping(7)));
    await vi.waitFor(() => expect(heard).toEqual([{ type: "pong", data: new Uint8Array(8).fill(7) }]));
    expect(frames).toEqual([{ type: "welcome", pingMs: 500 }]);
  });

  test("proves that the other end lives by a pong that came after the question", async () => {
    const { channel, peer, heard } = await startChannel();
    const proof = channel.proveAlive();
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    const [asked] = heard;
    if (asked?.type === "ping") peer.write(encodeFrame({ type: "pong", data: asked.data }));
    expect(await proof).toBe(true);
    expect(channel.roundTripMs).toBeGreaterThan(0);
  });

  test("shares one ping between proofs that are asked for together", async () => {
    const { channel, peer, heard } = await startChannel();
    peer.on("data", () => {
      for (const frame of heard.splice(0))
        if (frame.type === "ping") peer.write(encodeFrame({ type: "pong", data: frame.data }));
    });
    const before = peer.bytesRead;
    await Promise.all(Array.from({ length: 50 }, () => channel.proveAlive()));
    expect(peer.bytesRead - before).toBeLessThanOrEqual(2 * encodeFrame(ping(0)).length);
  });

  test("answers no proof when it ends before the pong, and none afterwards", async () => {
    const { channel, peer, heard } = await startChannel();
    const proofs = [channel.proveAlive(), channel.proveAlive()];
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0));
    peer.end();
    expect(await Promise.all([...proofs, channel.proveAlive()])).toEqual([false, false, false]);
    expect(await channel.proveAlive()).toBe(false);
  });

  test("ignores pongs to pings that it never sent", async () => {
    const { channel, peer, ends } = await startChannel();
    peer.write(encodeFrame({ type: "pong", data: new Uint8Array(8).fill(9) }));
    peer.write(encodeFrame(ping(1)));
    await once(peer, "data");
    expect([channel.roundTripMs, ends]).toEqual([undefined, []]);
  });

  test("ends as silent within two intervals in which nothing was heard, and not before the second is nearly over", async () => {
    const { channel, ends } = await startChannel();
    const startedAt = performance.now();
    channel.startPings(400);
    await vi.waitFor(() => expect(ends[0]?.[0]).toBe("silent"), { interval: 5 });
    expect(performance.now() - startedAt).toBeGreaterThan(690);
    expect(performance.now() - startedAt).toBeLessThan(900);
  });

  test("does not judge the other end when its own process stood still", async () => {
    let skippedMs = 0;
    const clock: Clock = { ...systemClock, now: () => Date.now() + skippedMs };
    const { channel, peer, ends } = await startChannel({ clock });
    peer.on("data", () => peer.write(encodeFrame(ping(0))));
    channel.startPings(100);
    await once(peer, "data");
    skippedMs = 60_000;
    await once(peer, "data");
    await once(peer, "data");
    expect(ends).toEqual([]);
  });

  test.each<[string, Uint8Array]>([
    ["bytes that are no frame", Uint8Array.of(0, 0, 0)],
    ["a message that is not as agreed", Buffer.concat([Uint8Array.of(0, 3, 2), Buffer.from("{}")])],
  ])("ends at %s", async (_, bytes) => {
    const { peer, ends } = await startChannel();
    peer.write(bytes);
    await once(peer, "close");
    expect(ends[0]?.[0]).toBe("refused");
  });

  test("ends on who says more than it may", async () => {
    const { peer, ends } = await startChannel({ maxFramesPerSecond: 10 });
    peer.write(Buffer.concat(Array.from({ length: 30 }, () => encodeFrame(ping(0)))));
    await once(peer, "close");
    expect(ends).toEqual([["refused", "The other end sends too many frames."]]);
  });

  test("ends on who does not read, with a bounded amount unsent", async () => {
    const { channel, peer, socket, ends } = await startChannel();
    peer.pause();
    const dial: ControlFrame = { type: "dial", passes: Array.from({ length: 2_000 }, () => new Uint8Array(16)) };
    for (let sent = 0; sent < 10_000 && !channel.ended; sent++) {
      channel.send(dial);
      if (sent % 10 === 0) await new Promise(setImmediate);
    }
    expect(ends).toEqual([["refused", "The other end does not read."]]);
    expect(socket.destroyed).toBe(true);
  });

  test("sends its last frame before it closes", async () => {
    const { channel, peer, heard, ends } = await startChannel();
    channel.close({ type: "goaway", reason: "draining", detail: "later" });
    await once(peer, "close");
    expect(heard).toEqual([{ type: "goaway", reason: "draining", detail: "later" }]);
    expect(ends).toHaveLength(1);
  });
});
