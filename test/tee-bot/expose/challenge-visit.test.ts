/** A node whose visitors belong to a TLS server of its own still answers the CA itself, while a challenge is pending. */
import { once } from "node:events";
import { createServer, connect as connectTcp, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { connect, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import { TlsAlpnResponder } from "../../../tee-bot/certificate/alpn-responder.ts";
import { Exposure } from "../../../tee-bot/expose/exposure.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { createTestCertificate } from "../../support/certificate.ts";
import { visitorAddresses } from "../support/public-name.ts";

const name = "alice.test";
const backend = await createTestCertificate({ hostnames: [name] });
let stack: AsyncDisposableStack;
let responder: TlsAlpnResponder;
let port: number;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const tls = createTlsServer(
    { cert: backend.certificate, key: backend.key, ALPNProtocols: ["http/1.1"] },
    (socket) => void socket.on("error", () => {}).end("backend"),
  );
  const target = { kind: "tls", host: "127.0.0.1", port: await listen(tls), proxy: false } as const;
  responder = new TlsAlpnResponder({ clock: systemClock });
  const exposure = new Exposure({
    target,
    path: join(stack.use(temporaryFolder()).path, "exposure.json"),
    gateway: { request: (_, response) => void response.end(), upgrade: (_, socket) => void socket.destroy() },
    challenges: responder,
    showEvidence: (_, response) => void response.end("the evidence"),
    mustProve: false,
    log: silentLog,
  });
  stack.defer(() => exposure.close());
  const visit = (socket: Socket): void => exposure.visit({ socket, addresses: visitorAddresses });
  port = await listen(createServer({ allowHalfOpen: true }, visit));
});
afterEach(() => stack.disposeAsync());

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function dial(ALPNProtocols: string[], servername = name): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", servername, ALPNProtocols, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  stack.defer(() => void socket.destroy());
  return socket;
}
const isBackend = (socket: TLSSocket): boolean =>
  socket.getPeerX509Certificate()?.fingerprint256 === backend.leaf.fingerprint256;

describe("a node that exposes a TLS server", () => {
  it("answers the CA's validation itself while it is pending, and hands everybody else on", async () => {
    await responder.present(name, "token.thumbprint");
    const validator = await dial(["acme-tls/1"]);
    expect(validator.alpnProtocol).toBe("acme-tls/1");
    expect(isBackend(validator)).toBe(false);
    const visitor = await dial(["http/1.1"]);
    expect(isBackend(visitor)).toBe(true);
    expect(String((await once(visitor, "data"))[0])).toBe("backend");
  });

  it("hands on whoever is not worth waiting for: no TLS, or half a hello", async () => {
    await responder.present(name, "token.thumbprint");
    for (const bytes of [Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.from([0x16, 3, 1, 2, 0, 1])]) {
      const socket = connectTcp({ port, host: "127.0.0.1" }).on("error", () => {});
      stack.defer(() => void socket.destroy());
      socket.end(bytes);
      await once(socket.resume(), "close"); // the server behind has judged it
    }
  });

  it("leaves a validation that is not its own to the server behind", async () => {
    await expect(dial(["acme-tls/1"])).rejects.toThrow(); // which does not know the protocol
    await responder.present("bob.test", "token.thumbprint");
    await expect(dial(["acme-tls/1"])).rejects.toThrow();
  });
});
