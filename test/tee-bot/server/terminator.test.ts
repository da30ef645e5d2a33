import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { get } from "node:https";
import { connect as connectTcp, createServer, type AddressInfo, type Server } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "../../../shared/log.ts";
import { Terminator, type HttpHandler } from "../../../tee-bot/server/terminator.ts";
import { createTestCertificate, type TestCertificate } from "../../support/certificate.ts";
import { clientHelloOf } from "../../support/client-hello.ts";
import { until } from "../../support/postern.ts";

const client = {
  sourceAddress: "203.0.113.9",
  sourcePort: 4711,
  destinationAddress: "192.0.2.1",
  destinationPort: 443,
};
const handler: HttpHandler = {
  request: (request, response, from) => {
    if (request.url === "/wait") return;
    response.end(`${request.httpVersion} ${from.sourceAddress}`);
  },
  upgrade: (_request, socket) => void socket.destroy(),
};

describe("the terminator", () => {
  let first: TestCertificate;
  let terminator: Terminator;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    first = await createTestCertificate({ hostnames: ["first.test"] });
    terminator = new Terminator({ handler, log: silentLog });
    server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => terminator.accept(socket, client)).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    terminator.close();
    server.close();
  });

  function connect(protocol: string, ca: string, servername = "first.test"): TLSSocket {
    return connectTls({ port, host: "127.0.0.1", ca, servername, ALPNProtocols: [protocol] });
  }

  it("answers a handshake with an alert while it has no certificate", async () => {
    const socket = connect("http/1.1", first.certificate);
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR");
    terminator.setCertificate(first.certificate, first.key);
  });

  it("tells the handler the address the relay saw, over HTTP/1.1 and HTTP/2", async () => {
    expect(await overHttp1(first.certificate)).toBe("1.1 203.0.113.9");
    expect(await overHttp2(first.certificate)).toBe("2.0 203.0.113.9");
  });

  it("lets go of a connection whose visitor has gone, however it went", async () => {
    await overHttp1(first.certificate);
    await overHttp2(first.certificate);
    const silent = connect("http/1.1", first.certificate);
    await once(silent, "secureConnect");
    silent.end();
    const abrupt = connect("h2", first.certificate);
    await once(abrupt, "secureConnect");
    abrupt.destroy();
    await until(() => terminator.connections === 0, 5_000, "every connection is closed");
  });

  it("ends a connection on which the head of a request takes too long, or never begins", async () => {
    const strict = new Terminator({ handler, log: silentLog, headersTimeoutMs: 200 });
    strict.setCertificate(first.certificate, first.key);
    const door = createServer({ allowHalfOpen: true }, (socket) => strict.accept(socket, client)).listen(
      0,
      "127.0.0.1",
    );
    await once(door, "listening");
    for (const head of ["GET / HTTP/1.1\r\nhost: fir", ""]) {
      const options = { port: (door.address() as AddressInfo).port, host: "127.0.0.1", servername: "first.test" };
      const slow = connectTls({ ...options, ca: first.certificate });
      await once(slow, "secureConnect");
      slow.write(head);
      const [answer] = (await once(slow, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 408 /);
      await until(() => strict.connections === 0, 5_000, "the connection is closed");
    }
    strict.close();
    door.close();
  });

  it("lets go of who begins a handshake and does not finish it", async () => {
    const strict = new Terminator({ handler, log: silentLog, handshakeTimeoutMs: 200 });
    strict.setCertificate(first.certificate, first.key);
    const strictServer = createServer((socket) => strict.accept(socket, client)).listen(0, "127.0.0.1");
    await once(strictServer, "listening");
    const socket = connectTcp((strictServer.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => {}).write(await clientHelloOf("first.test"));
    await new Promise((resolve) => socket.resume().once("close", resolve));
    await until(() => strict.connections === 0, 1_000, "it is let go");
    strictServer.close();
  });

  it("swaps the certificate for new connections and keeps the open ones", async () => {
    const second = await createTestCertificate({ hostnames: ["second.test"] });
    const before = connect("http/1.1", first.certificate);
    await once(before, "secureConnect");
    terminator.setCertificate(second.certificate, second.key);

    const after = connect("http/1.1", second.certificate, "second.test");
    await once(after, "secureConnect");
    expect(after.getPeerX509Certificate()?.fingerprint256).toBe(second.leaf.fingerprint256);
    after.destroy();

    before.write("GET / HTTP/1.1\r\nhost: first.test\r\n\r\n");
    const [answer] = (await once(before, "data")) as [Buffer];
    expect(answer.toString()).toContain("203.0.113.9");
    before.destroy();
  });

  it("shows no certificate any more once it is withheld, not even while a challenge is pending", async () => {
    for (const pending of [false, true]) {
      const challenges = { pending, contextFor: () => undefined };
      const gated = new Terminator({ handler, challenges, log: silentLog });
      gated.setCertificate(first.certificate, first.key);
      const door = createServer({ allowHalfOpen: true }, (socket) =>
        gated.accept(
          socket.on("error", () => {}),
          client,
        ),
      );
      await once(door.listen(0, "127.0.0.1"), "listening");
      const options = { port: (door.address() as AddressInfo).port, host: "127.0.0.1", servername: "first.test" };
      const before = connectTls({ ...options, ca: first.certificate });
      await once(before, "secureConnect");
      gated.withholdCertificate();
      const after = connectTls({ ...options, ca: first.certificate });
      await expect(once(after, "secureConnect")).rejects.toThrow();
      expect(after.getPeerX509Certificate()).toBeUndefined();
      before.write("GET / HTTP/1.1\r\nhost: first.test\r\n\r\n");
      const [answer] = (await once(before, "data")) as [Buffer];
      expect(answer.toString()).toContain("203.0.113.9");
      gated.setCertificate(first.certificate, first.key);
      const again = connectTls({ ...options, ca: first.certificate });
      await once(again, "secureConnect");
      for (const socket of [before, again]) socket.destroy();
      gated.close();
      door.close();
    }
  });

  function overHttp1(ca: string): Promise<string> {
    return new Promise((resolve, reject) => {
      get({ port, host: "127.0.0.1", servername: "first.test", ca, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.once("end", () => resolve(body));
      }).once("error", reject);
    });
  }

  async function overHttp2(ca: string): Promise<string> {
    const session = connectHttp2(`https://first.test:${port}`, { createConnection: () => connect("h2", ca) });
    const stream = session.request({ ":path": "/" });
    let body = "";
    stream.setEncoding("utf8").on("data", (text: string) => (body += text));
    await once(stream, "end");
    session.close();
    return body;
  }
});
