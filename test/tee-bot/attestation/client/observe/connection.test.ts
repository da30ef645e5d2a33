import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { createServer, type TlsOptions } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { openConnection } from "../../../../../tee-bot/attestation/client/observe/connection.ts";
import { spkiSha256Of } from "../../../../../tee-bot/certificate/spki.ts";
import { createTestCertificate, type TestCertificate } from "../../../../support/certificate.ts";

const hostname = "demo.postern.localhost";
const dayMs = 86_400_000;
let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function serve(certificate: TestCertificate, options: TlsOptions = {}): Promise<number> {
  const server = createServer({ cert: certificate.certificate, key: certificate.key, ...options }, (socket) => {
    socket.on("error", () => {}).end();
  }).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => {});
  await once(server, "listening");
  stack.defer(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function listenTcp(treat: (socket: Socket) => void): Promise<number> {
  const server = createTcpServer((socket) => {
    stack.defer(() => void socket.destroy());
    treat(socket.on("error", () => {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function connectTo(port: number, options: { roots?: string[] | undefined; signal?: AbortSignal } = {}) {
  const { roots, signal = AbortSignal.timeout(10_000) } = options;
  return stack.use(await openConnection({ hostname, to: { host: "127.0.0.1", port }, roots, signal }));
}

describe("a connection to verify", () => {
  it("tells the chain, the key and that it is trusted", async () => {
    const certificate = await createTestCertificate({ hostnames: [hostname] });
    const connection = await connectTo(await serve(certificate), { roots: [certificate.certificate] });
    expect(connection).toMatchObject({ protocol: "TLSv1.3", certificate: { state: "trusted" } });
    expect(connection.address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(connection.chain.map(spkiSha256Of)).toEqual([spkiSha256Of(certificate.certificate)]);
  });

  it("comes about under a certificate that is not trusted, and tells why it is not", async () => {
    const own = await createTestCertificate({ hostnames: [hostname] });
    expect((await connectTo(await serve(own))).certificate).toEqual({
      state: "untrusted",
      problem: "The certificate is not trusted here: it is self-signed.",
    });
    const past = { notBefore: new Date(Date.now() - 2 * dayMs), notAfter: new Date(Date.now() - dayMs) };
    const expired = await createTestCertificate({ hostnames: [hostname], ...past });
    expect((await connectTo(await serve(expired), { roots: [expired.certificate] })).certificate).toEqual({
      state: "untrusted",
      problem: "The certificate is not trusted here: it has expired.",
    });
  });

  it("tells a certificate of somebody else, trusted or not", async () => {
    const certificate = await createTestCertificate({ hostnames: ["other.postern.localhost"] });
    const port = await serve(certificate);
    for (const roots of [[certificate.certificate], undefined])
      expect((await connectTo(port, { roots })).certificate).toMatchObject({ state: "other-name" });
  });

  it("finds names below localhost on this machine", async () => {
    const certificate = await createTestCertificate({ hostnames: [hostname] });
    const to = { host: hostname, port: await serve(certificate) };
    const signal = AbortSignal.timeout(10_000);
    stack.use(await openConnection({ hostname, to, roots: [certificate.certificate], signal }));
  });

  it("does not come about below TLS 1.3", async () => {
    const port = await serve(await createTestCertificate({ hostnames: [hostname] }), { maxVersion: "TLSv1.2" });
    await expect(connectTo(port)).rejects.toMatchObject({
      detail: expect.stringContaining("TLS 1.3 does not come about"),
    });
  });

  it("says what is wrong where nothing listens, nobody answers, or the answer is no TLS", async () => {
    const closed = createTcpServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    await expect(connectTo(port)).rejects.toMatchObject({
      detail: `127.0.0.1:${port} cannot be reached: nothing listens there.`,
    });

    const plain = await listenTcp((socket) => void socket.end("HTTP/1.1 400\r\n\r\n"));
    await expect(connectTo(plain)).rejects.toMatchObject({ code: "upstream-unavailable" });
    const silent = await listenTcp(() => {});
    const signal = AbortSignal.timeout(200);
    await expect(connectTo(silent, { signal })).rejects.toMatchObject({
      detail: "It was given up.",
    });
  });
});
