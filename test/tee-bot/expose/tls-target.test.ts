import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../shared/log.ts";
import { parseProxyHeader } from "../../../shared/tunnel/proxy-header.ts";
import { passToTls } from "../../../tee-bot/expose/tls-target.ts";
import { createTestCertificate } from "../../support/certificate.ts";
import { freePort, until } from "../../support/postern.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";
import { visitorAddresses } from "../support/public-name.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket.on("error", () => {}));
    onSocket(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A visitor's connection that the node hands to a local server at `port`. */
async function visit(port: number, { proxy = false } = {}): Promise<Socket> {
  const door = await listen((socket) =>
    passToTls(socket, visitorAddresses, { kind: "tls", host: "127.0.0.1", port, proxy }, silentLog),
  );
  const visitor = connect({ port: door, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  visitor.on("error", () => {});
  stack.defer(() => void visitor.destroy());
  await once(visitor, "connect");
  return visitor;
}

describe("a TLS target", () => {
  it("does the visitor's handshake itself, with its own key", async () => {
    const { certificate, key, leaf } = await createTestCertificate({ hostnames: ["own.test"] });
    const server = createTlsServer({ cert: certificate, key }, (socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    stack.defer(() => void server.close());
    const socket = await visit((server.address() as AddressInfo).port);
    const tls = connectTls({ socket, servername: "own.test", ca: certificate });
    await once(tls, "secureConnect");
    expect(tls.getPeerX509Certificate()?.fingerprint256).toBe(leaf.fingerprint256);
    tls.write("echo");
    expect(String((await once(tls, "data"))[0])).toBe("echo");
    tls.destroy();
  });

  it("gets the visitor's bytes and nothing else, those sent before it was connected among them", async () => {
    let server: Socket | undefined;
    const visitor = await visit(await listen((socket) => (server = socket)));
    visitor.write("early");
    await until(() => server !== undefined, 5_000, "the target is reached");
    if (server) expect((await readBytes(server, 5)).toString()).toBe("early");
  });

  it("gets a PROXY v2 header with both addresses first when it asks for one", async () => {
    let server: Socket | undefined;
    const visitor = await visit(await listen((socket) => (server = socket)), { proxy: true });
    visitor.write("hello");
    await until(() => server !== undefined, 5_000, "the target is reached");
    if (!server) return;
    const bytes = await readBytes(server, 28 + 5);
    const header = parseProxyHeader(bytes);
    expect(header).toMatchObject({ kind: "header", addresses: visitorAddresses });
    if (header.kind === "header") expect(bytes.subarray(header.length).toString()).toBe("hello");
  });

  it("may answer after the visitor has said its last word, and the other way round", async () => {
    let server: Socket | undefined;
    const visitor = await visit(await listen((socket) => (server = socket)));
    visitor.end("question");
    await until(() => server !== undefined, 5_000, "the target is reached");
    if (!server) return;
    expect(await readEnd(server)).toEqual({ how: "end", bytes: Buffer.from("question") });
    server.end("answer");
    expect(await readEnd(visitor)).toEqual({ how: "end", bytes: Buffer.from("answer") });

    const second = await visit(await listen((socket) => void socket.end("greeting").resume()));
    expect(await readEnd(second)).toEqual({ how: "end", bytes: Buffer.from("greeting") });
    expect(second.writable).toBe(true);
  });

  it("that resets is a reset for the visitor, so that nothing looks complete", async () => {
    const visitor = await visit(
      await listen((socket) => socket.once("data", () => socket.write("half", () => socket.resetAndDestroy()))),
    );
    visitor.write("x");
    expect((await readEnd(visitor)).how).toBe("reset");
  });

  it("that is not there gives the visitor a TLS alert and an end", async () => {
    const visitor = await visit(await freePort());
    expect(await readEnd(visitor)).toEqual({ how: "end", bytes: Buffer.from("15030300020250", "hex") });
  });

  it("is left when the visitor goes", async () => {
    let server: Socket | undefined;
    const visitor = await visit(await listen((socket) => (server = socket.resume())));
    await until(() => server !== undefined, 5_000, "the target is reached");
    visitor.resetAndDestroy();
    await until(() => server?.destroyed ?? false, 5_000, "its connection is closed");
  });
});
