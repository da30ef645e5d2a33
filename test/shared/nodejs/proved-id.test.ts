import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { describe, expect, test } from "vitest";
import { generateIdentityPem, identityOfPem } from "../../../shared/nodejs/identity-file.ts";
import { problemOfRelay, provedIdOf } from "../../../shared/nodejs/proved-id.ts";
import { createTestCertificate } from "../../support/certificate.ts";

const alpn = "postern/1";
const identity = await identityOfPem(generateIdentityPem(), Date.now());
const ofIdentity: TlsOptions = { cert: identity.certificate, key: identity.privateKeyPem, ALPNProtocols: [alpn] };

/** What a client sees of a server with these options. */
async function seenOf<T>(options: TlsOptions, look: (socket: TLSSocket) => T): Promise<T> {
  const server = createServer(options).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: [alpn] });
  try {
    await once(socket, "secureConnect");
    return look(socket);
  } finally {
    socket.destroy();
    server.close();
  }
}

describe("the other end of a TLS connection", () => {
  test("has proved the id of its key", async () => {
    expect(await seenOf(ofIdentity, provedIdOf)).toBe(identity.id);
  });

  test("has proved no id with another kind of key", async () => {
    const { certificate, key } = await createTestCertificate({ hostnames: ["relay.test"] });
    expect(await seenOf({ cert: certificate, key }, provedIdOf)).toBeUndefined();
  });

  test("is the relay that was named when it has its key and speaks the protocol", async () => {
    expect(await seenOf(ofIdentity, (socket) => problemOfRelay(socket, identity.id, alpn))).toBeUndefined();
  });

  test("is not when it has another key, or another protocol", async () => {
    expect(await seenOf(ofIdentity, (socket) => problemOfRelay(socket, "f".repeat(64), alpn))).toBe(
      "The relay proved another key than the edge has named.",
    );
    const { cert, key } = ofIdentity;
    expect(await seenOf({ cert, key }, (socket) => problemOfRelay(socket, identity.id, alpn))).toBe(
      "This port does not speak postern/1.",
    );
  });
});
