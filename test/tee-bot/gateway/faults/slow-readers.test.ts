import { connect, type Socket } from "node:net";
import { request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { until } from "../../../support/postern.ts";
import type { Behaviour } from "../../../support/upstream/behaviour.ts";
import { dataEvent, doneEvent } from "../../../support/upstream/content.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const mib = 1 << 20;
const streamMiB = 192;
/** In no header: a request id may have any letter. */
const filler = "~";
/** What kernels and sockets on the way may hold: four buffers, of which loopback grows each to several MiB. */
const onTheWayMiB = 48;

/** A stream of so many MiB, and how much of it has been written. */
function largeStream(): { behaviour: Behaviour; writtenMiB: () => number } {
  let written = 0;
  const event = dataEvent({ choices: [{ index: 0, delta: { content: filler.repeat(mib) }, finish_reason: null }] });
  const behaviour: Behaviour = async (_, reply) => {
    reply.openStream();
    for (; written < streamMiB; written++) {
      reply.chunk(event);
      await reply.drain();
    }
    reply.chunk(dataEvent({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }));
    reply.chunk(doneEvent);
    reply.lastChunk();
  };
  return { behaviour, writtenMiB: () => written };
}

async function start(): Promise<{ upstream: Upstream; gateway: TestGateway }> {
  const upstream = stack.use(await startUpstream({ models: ["large", "normal"] }));
  return { upstream, gateway: stack.use(await startGateway({ providers: { main: upstream } })) };
}

function ask({ origin }: TestGateway, model: string): Socket {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  const body = JSON.stringify({ model, stream: true, messages: [] });
  socket.on("error", () => {}).pause();
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  return socket;
}

describe("a client that does not read", () => {
  it("holds up its provider and nobody else, and has everything once it reads", async () => {
    const { upstream, gateway } = await start();
    const { behaviour, writtenMiB } = largeStream();
    upstream.behaveFor("large", behaviour);
    const before = process.memoryUsage.rss();
    const socket = ask(gateway, "large");
    await until(() => writtenMiB() > 0, 5_000, "the stream begins");
    let last = -1;
    await until(() => last === (last = writtenMiB()), 10_000, "the provider is held up");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(writtenMiB()).toBeLessThan(onTheWayMiB);
    expect((process.memoryUsage.rss() - before) / mib).toBeLessThan(160); // client, gateway and provider are all here

    const { statusCode, body } = await request(`${gateway.baseUrl}/chat/completions`, {
      method: "POST",
      body: '{"model":"normal","messages":[]}',
    });
    await body.dump();
    expect(statusCode).toBe(200);

    let [fillers, end] = [0, ""];
    socket.on("data", (chunk: Buffer) => {
      for (const byte of chunk) if (byte === filler.charCodeAt(0)) fillers++;
      end = (end + chunk.toString("latin1")).slice(-100);
    });
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(fillers).toBe(streamMiB * mib);
    expect(end).toContain("data: [DONE]\n\n");
  }, 60_000);

  it("and leaves frees its provider", async () => {
    const { upstream, gateway } = await start();
    const { behaviour, writtenMiB } = largeStream();
    upstream.behaveFor("large", behaviour);
    const socket = ask(gateway, "large");
    await until(() => writtenMiB() > 5, 10_000, "the stream is under way");
    const call = await upstream.call(1);
    const leftAt = performance.now();
    socket.destroy();
    expect((await call.left) - leftAt).toBeLessThan(500);
  });
});
