import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { until } from "../../../support/postern.ts";
import { startUpstream } from "../../../support/upstream/upstream.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const mib = 1 << 20;

/** Sends most of a body of one MiB, then nothing. Resolves when all that is on its way. */
async function sendMost({ origin }: TestGateway): Promise<Socket> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  socket.on("error", () => {}).resume();
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${mib}\r\n\r\n`);
  stack.defer(() => void socket.destroy());
  await new Promise((resolve) => socket.write(Buffer.alloc(mib - 1_000, 0x20), resolve));
  return socket;
}

async function statusOf({ baseUrl }: TestGateway, bytes: number): Promise<number> {
  const body = JSON.stringify({ model: "normal", messages: [{ role: "user", content: "y".repeat(bytes) }] });
  const answer = await request(`${baseUrl}/chat/completions`, { method: "POST", body });
  await answer.body.dump();
  return answer.statusCode;
}

describe("large bodies", () => {
  it("take no more memory than there is for all of them; small ones come through, and all do when they are gone", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = stack.use(
      await startGateway({ providers: { main: upstream }, settings: { limits: { bodyMiB: 1 } } }),
    );
    const uploads = await Promise.all(Array.from({ length: 16 }, () => sendMost(gateway)));
    await sleep(500); // to ask whether they have come would take of the same room
    expect(await statusOf(gateway, 900_000)).toBe(503);
    expect(await statusOf(gateway, 10_000)).toBe(200);
    for (const upload of uploads) upload.destroy();
    await until(async () => (await statusOf(gateway, 900_000)) === 200, 5_000, "the room is free again");
    for (let at = 0; at < 40; at++) expect(await statusOf(gateway, 900_000)).toBe(200);
  });
});
