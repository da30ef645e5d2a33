import type { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../support/postern.ts";
import { startService } from "../../support/service.ts";
import { expose, exposeRaw } from "../support/exposed.ts";
import { publicHost, startPublicName, type PublicName } from "../support/public-name.ts";
import { answering, startRawService } from "../support/raw-service.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const upgradeHead = (target: string, more = ""): string =>
  `GET ${target} HTTP/1.1\r\nhost: ${publicHost}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
  `sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n${more}\r\n`;
const agreed = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

/** Asks for a WebSocket and resolves once something is answered. */
async function ask(
  name: PublicName,
  target = "/socket",
  more = "",
): Promise<{ socket: TLSSocket; text: () => string }> {
  const socket = await name.dial();
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.write(upgradeHead(target, more));
  await until(() => text !== "" || socket.destroyed, 5_000, "an answer");
  return { socket, text: () => text };
}

describe("a WebSocket through the proxy", () => {
  it("carries words both ways once the service has agreed, those it sends at once among them", async () => {
    const { name } = await exposeRaw(stack, ({ socket }, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(`${agreed}early`);
      else socket.write(`<${received.slice(received.lastIndexOf("\n") + 1)}>`);
    });
    const { socket, text } = await ask(name);
    await until(() => text().endsWith("early"), 5_000, "the service's first words");
    expect(text()).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    socket.write("hello");
    await until(() => text().endsWith("<hello>"), 5_000, "the echo");
    socket.destroy();
  });

  it("tells the service who asks, and passes the handshake's own headers", async () => {
    const { name, service } = await exposeRaw(stack, ({ socket }) => void socket.write(agreed));
    await ask(name, "/socket?a=b", "x-forwarded-for: 6.6.6.6\r\nsec-websocket-protocol: chat\r\n");
    const received = service.connections[0]?.received() ?? "";
    expect(received).toMatch(/^GET \/socket\?a=b HTTP\/1.1\r\n/);
    expect(received).toContain("x-forwarded-for: 203.0.113.9\r\n");
    expect(received).toContain("sec-websocket-protocol: chat\r\n");
    expect(received.match(/^connection: upgrade\r$/gim)).toHaveLength(1);
    expect(received).not.toContain("6.6.6.6");
  });

  it.each(["visitor", "service"])("ends at both ends when the %s goes", async (who) => {
    const { name, service } = await exposeRaw(stack, ({ socket }) => void socket.write(agreed));
    const { socket } = await ask(name);
    const upstream = service.connections[0]?.socket;
    if (who === "visitor") socket.destroy();
    else upstream?.resetAndDestroy();
    await until(() => socket.destroyed && (upstream?.destroyed ?? false), 5_000, "both are closed");
    await until(() => name.terminator.connections === 0, 5_000, "the node has let go");
  });

  it("that the service refuses ends with the service's answer and body", async () => {
    const { name } = await exposeRaw(
      stack,
      answering(
        "HTTP/1.1 401 Unauthorized\r\nx-why: token\r\ntransfer-encoding: chunked\r\n\r\n5\r\nnever\r\n0\r\n\r\n",
      ),
    );
    const { socket, text } = await ask(name);
    await until(() => socket.destroyed, 5_000, "the connection is closed");
    expect(text()).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/);
    expect(text()).toContain("x-why: token\r\n");
    expect(text()).toMatch(/\r\n\r\nnever$/);
    expect(text()).not.toMatch(/transfer-encoding/i);
  });

  it("that is refused with a body that breaks off is not left open", async () => {
    const { name } = await exposeRaw(
      stack,
      ({ socket }) => void socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 100\r\n\r\nhalf"),
    );
    const { socket } = await ask(name);
    await until(() => socket.destroyed, 5_000, "the connection is closed");
    await until(() => name.terminator.connections === 0, 5_000, "the node has let go");
  });

  it("is answered 502 when the service is not there or answers with garbage", async () => {
    const { name, service } = await exposeRaw(stack, ({ socket }) => void socket.end("garbage\r\n\r\n"));
    expect((await ask(name)).text()).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\nconnection: close\r\n/);
    await service[Symbol.asyncDispose]();
    expect((await ask(name)).text()).toMatch(/^HTTP\/1.1 502 /);
  });

  it("is given up upstream when the visitor goes before the service has answered", async () => {
    const { name, service } = await exposeRaw(stack, () => {});
    const socket = await name.dial();
    socket.write(upgradeHead("/"));
    await until(() => service.connections.length === 1, 5_000, "the service is asked");
    socket.destroy();
    await until(() => service.connections[0]?.socket.destroyed ?? false, 5_000, "the service's connection is closed");
  });
});

describe("an upgrade that an adversary asks for", () => {
  it.each(["//elsewhere.test/x", "//[", "//:", "/\\elsewhere.test", "/%2f%2fx"])(
    "never leaves the exposed service: %s is a path like any other",
    async (target) => {
      const { name, service } = await exposeRaw(stack, ({ socket }) => void socket.write(agreed));
      expect((await ask(name, target)).text()).toMatch(/^HTTP\/1.1 101 /);
      expect(service.connections[0]?.received().split("\r\n")[0]).toBe(`GET ${target} HTTP/1.1`);
    },
  );

  it("with a whole URL reaches the exposed service, not the host in it", async () => {
    const elsewhere = stack.use(await startRawService(() => {}));
    const { name, service } = await exposeRaw(stack, ({ socket }) => void socket.write(agreed));
    expect((await ask(name, `${elsewhere.origin}/secret?a=b`)).text()).toMatch(/^HTTP\/1.1 101 /);
    expect(elsewhere.connections).toHaveLength(0);
    expect(service.connections[0]?.received()).toMatch(/^GET \/secret\?a=b HTTP\/1.1\r\n/);
  });

  it.each(["*", "ftp://elsewhere.test/", "http://", "elsewhere.test:443"])("for %s is refused", async (target) => {
    const { name, service } = await exposeRaw(stack, ({ socket }) => void socket.write(agreed));
    expect((await ask(name, target)).text()).toMatch(/^HTTP\/1.1 400 /);
    expect(service.connections).toHaveLength(0);
  });

  it("with a body gives the service no length to wait for", async () => {
    const { name, service } = await exposeRaw(stack, ({ socket }) => void socket.write(agreed));
    await ask(name, "/", "content-length: 40\r\n");
    expect(service.connections[0]?.received()).not.toMatch(/content-length/i);
  });

  it.each([
    ["h2c", "GET"],
    ["websocket", "POST"],
    ["TLS/1.0", "GET"],
  ])("to %s with %s is a plain request", async (protocol, method) => {
    const service = stack.use(await startService());
    const name = await expose(stack, service.url);
    const answer = await name.ask("/headers", { method, headers: { connection: "Upgrade", upgrade: protocol } });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).not.toHaveProperty("upgrade");
  });
});

describe("an upgrade to an exposed https service", () => {
  it("is answered 502 when the service's certificate is not trusted", async () => {
    const other = stack.use(await startPublicName({ request: (_, response) => response.end(), upgrade: () => {} }));
    const probe = await other.dial();
    const name = await expose(stack, `https://127.0.0.1:${probe.remotePort}`);
    probe.destroy();
    expect((await ask(name)).text()).toMatch(/^HTTP\/1.1 502 /);
    expect((await name.ask("/")).status).toBe(502);
  });
});
