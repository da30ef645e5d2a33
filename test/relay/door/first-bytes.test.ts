import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { FirstBytes, type FirstBytesAnswer } from "../../../relay/door/first-bytes.ts";
import { encodePoolPreface } from "../../../shared/tunnel/pool.ts";
import { clientHelloOf } from "../../support/client-hello.ts";

/** Sends each part when the one before has been read; answers what was told of them, and the socket. */
async function judge(parts: readonly Uint8Array[], { end = false } = {}) {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  const answer = new Promise<FirstBytesAnswer>((resolve) => new FirstBytes(socket, (_, told) => resolve(told)));
  let sent = 0;
  for (const part of parts) {
    client.write(part);
    sent += part.length;
    while (socket.bytesRead < sent) await new Promise(setImmediate);
  }
  if (end) client.end();
  const told = await answer;
  client.destroy();
  socket.destroy();
  server.close();
  return { told, listeners: socket.listenerCount("readable") };
}

const cut = (bytes: Uint8Array, at: number): Uint8Array[] => [bytes.subarray(0, at), bytes.subarray(at)];

describe("first bytes", () => {
  test("tell a visitor by its server name and keep every byte, wherever the hello was cut", async () => {
    const hello = await clientHelloOf("demo.zone.test", ["h2"]);
    for (const at of [1, 5, 6, 43, 200, hello.length - 1]) {
      const { told, listeners } = await judge(cut(hello, at));
      expect(told).toEqual({ kind: "hello", serverName: "demo.zone.test", alpn: ["h2"], bytes: hello });
      expect(listeners).toBe(0);
    }
  });

  test("keep what follows the hello", async () => {
    const bytes = Buffer.concat([await clientHelloOf("demo.zone.test"), Buffer.from("early data")]);
    const { told } = await judge([bytes]);
    expect(told.kind === "hello" && told.bytes.equals(bytes)).toBe(true);
  });

  test("tell a pool connection by its pass, wherever it was cut", async () => {
    const pass = Uint8Array.from({ length: 16 }, (_, at) => at);
    const preface = encodePoolPreface(pass);
    for (let at = 1; at < preface.length; at++)
      expect((await judge(cut(preface, at))).told).toEqual({ kind: "pass", pass });
  });

  test.each([
    ["plain HTTP", Buffer.from("GET / HTTP/1.1\r\n"), { reason: "http", alert: "unexpected_message" }],
    ["SSL 2.0", Buffer.of(0x80, 0x2e, 0x01), { reason: "sslv2", alert: "protocol_version" }],
    [
      "another record",
      Buffer.of(0x17, 0x03, 0x03, 0x00, 0x01),
      { reason: "not-handshake", alert: "unexpected_message" },
    ],
    ["a preface of another version", Buffer.of(0x00, 0x50, 0x4e, 0x02), { reason: "bad-preface", alert: undefined }],
    ["a pass with bytes after it", Buffer.alloc(40), { reason: "bad-preface", alert: undefined }],
  ])("refuse %s with its reason", async (_, bytes, refusal) => {
    expect((await judge([bytes])).told).toMatchObject({ kind: "refused", ...refusal });
  });

  test("tell that the client left before it said what it wanted", async () => {
    expect((await judge([Buffer.of(0x16, 0x03)], { end: true })).told).toEqual({ kind: "left" });
  });
});
