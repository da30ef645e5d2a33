import { once } from "node:events";
import { connect as connectHttp2, performServerHandshake, type ServerHttp2Stream } from "node:http2";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { StreamSocket } from "../../../shared/nodejs/stream-socket.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

/** Both ends of one stream, and the connection below it. */
async function startPair() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const far = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [near] = (await once(server, "connection")) as [Socket];
  for (const socket of [near, far]) socket.on("error", () => {});
  const answering = performServerHandshake(far).on("error", () => {});
  const asking = connectHttp2("http://peer.test", { createConnection: () => near }).on("error", () => {});
  const a = new StreamSocket(asking.request({ ":method": "CONNECT", ":authority": "peer.test" }));
  const [stream] = (await once(answering, "stream")) as [ServerHttp2Stream];
  stream.respond({ ":status": 200 });
  const b = new StreamSocket(stream);
  return {
    a,
    b,
    near,
    [Symbol.dispose]() {
      asking.destroy();
      answering.destroy();
      server.close();
    },
  };
}

describe("a stream of HTTP/2 as a socket", () => {
  test("counts bytes, and ends one direction while the other goes on", async () => {
    using pair = await startPair();
    pair.a.end("question");
    expect(await readEnd(pair.b)).toEqual({ how: "end", bytes: Buffer.from("question") });
    pair.b.end("answer");
    expect(await readEnd(pair.a)).toEqual({ how: "end", bytes: Buffer.from("answer") });
    expect([pair.a.bytesWritten, pair.a.bytesRead, pair.b.bytesWritten, pair.b.bytesRead]).toEqual([8, 6, 6, 8]);
  });

  test.each(["a", "b"] as const)("shows a reset by %s as a reset, not as an end", async (side) => {
    using pair = await startPair();
    const end = readEnd(side === "a" ? pair.b : pair.a);
    pair[side].write("half an ans");
    await new Promise((resolve) => setTimeout(resolve, 20));
    pair[side].resetAndDestroy();
    expect(await end).toEqual({ how: "reset", bytes: Buffer.from("half an ans") });
  });

  test("shows the loss of the connection as a reset", async () => {
    using pair = await startPair();
    const ends = Promise.all([readEnd(pair.a), readEnd(pair.b)]);
    pair.near.end(); // as a kernel does for a process that was killed
    expect((await ends).map(({ how }) => how)).toEqual(["reset", "reset"]);
  });

  test("closed after its end, resets whoever still sends", async () => {
    using pair = await startPair();
    pair.a.end("bye");
    await readBytes(pair.b, 3);
    pair.a.destroy();
    const end = readEnd(pair.b);
    pair.b.write("one more thing");
    await end;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pair.b.destroyed).toBe(true);
  });
});
