import { createHash } from "node:crypto";
import { once } from "node:events";
import { get } from "node:https";
import { createServer, type AddressInfo, type Server } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { SubjectAlternativeNameExtension, X509Certificate } from "@peculiar/x509";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../shared/log.ts";
import { acmeIdentifierOid } from "../../../tee-bot/certificate/alpn-certificate.ts";
import { TlsAlpnResponder } from "../../../tee-bot/certificate/alpn-responder.ts";
import { Terminator, type HttpHandler } from "../../../tee-bot/server/terminator.ts";
import { createTestCertificate, type TestCertificate } from "../../support/certificate.ts";
import { until } from "../../support/postern.ts";
import { ManualClock } from "../support/manual-clock.ts";

const name = "alice.test";
const authorization = "token.thumbprint";
const handler: HttpHandler = {
  request: (_request, response) => void response.end("hello"),
  upgrade: (_request, socket) => void socket.destroy(),
};
const client = { sourceAddress: "192.0.2.7", sourcePort: 1, destinationAddress: "192.0.2.1", destinationPort: 443 };

let responder: TlsAlpnResponder;
let terminator: Terminator;
let server: Server;
let served: TestCertificate;
let port: number;
beforeEach(async () => {
  served = await createTestCertificate({ hostnames: [name] });
  responder = new TlsAlpnResponder({ clock: new ManualClock() });
  terminator = new Terminator({ handler, log: silentLog, challenges: responder });
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    terminator.accept(socket, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  terminator.close();
  server.close();
});

/** As a CA's validator connects: the name, one protocol, no look at the chain. */
function dial(servername: string, protocols: string[], maxVersion: "TLSv1.2" | "TLSv1.3" = "TLSv1.3"): TLSSocket {
  const options = { port, host: "127.0.0.1", servername, maxVersion, rejectUnauthorized: false };
  return connect({ ...options, ALPNProtocols: protocols });
}
async function refusal(servername: string, protocols: string[]): Promise<string | undefined> {
  const [error] = (await once(dial(servername, protocols), "error")) as [NodeJS.ErrnoException];
  return error.code;
}
const refused = /^(ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL|ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR)$/;

function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", servername: name, ca: served.certificate, agent: false }, (response) => {
      response.setEncoding("utf8").once("data", resolve);
    }).once("error", reject);
  });
}

describe("the answer to tls-alpn-01", () => {
  it.each([
    ["TLSv1.2", "beside the one of the name"],
    ["TLSv1.3", "beside the one of the name"],
    ["TLSv1.3", "before there is any other"],
  ] as const)("is a certificate with the digest of the key authorization, over %s, %s", async (version, when) => {
    if (when !== "before there is any other") terminator.setCertificate(served.certificate, served.key);
    await responder.present(name, authorization);
    const socket = dial(name, ["acme-tls/1"], version);
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("acme-tls/1");

    const certificate = new X509Certificate(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0));
    const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON();
    expect(names).toEqual([{ type: "dns", value: name }]);
    const extension = certificate.getExtension(acmeIdentifierOid);
    expect(extension?.critical).toBe(true);
    const digest = createHash("sha256").update(authorization).digest("hex");
    expect(Buffer.from(extension?.value ?? new ArrayBuffer()).toString("hex")).toBe(`0420${digest}`);
  });

  it("ends with the handshake: the connection is closed, and no request on it is answered", async () => {
    await responder.present(name, authorization);
    const socket = dial(name, ["acme-tls/1"]);
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
    socket.once("secureConnect", () => socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    await once(socket, "close");
    expect(answer).toBe("");
    await until(() => terminator.connections === 0, 3_000, "the connection is let go");
  });

  it("is given for the pending name only, and to nobody who offers another protocol as well", async () => {
    terminator.setCertificate(served.certificate, served.key);
    await responder.present(name, authorization);
    expect(await refusal("bob.test", ["acme-tls/1"])).toMatch(refused);
    const both = dial(name, ["acme-tls/1", "http/1.1"]);
    await once(both, "secureConnect");
    expect(both.alpnProtocol).toBe("http/1.1");
    expect(both.getPeerX509Certificate()?.fingerprint256).toBe(served.leaf.fingerprint256);
    both.destroy();
  });

  it("is gone once the challenge is withdrawn", async () => {
    terminator.setCertificate(served.certificate, served.key);
    await responder.present(name, authorization);
    responder.withdraw(name);
    expect(await refusal(name, ["acme-tls/1"])).toMatch(refused);
  });

  it("leaves visitors as they are while a challenge is pending", async () => {
    terminator.setCertificate(served.certificate, served.key);
    await responder.present(name, authorization);
    expect(await ask()).toBe("hello");
    const visitor = dial(name, ["h2", "http/1.1"]);
    await once(visitor, "secureConnect");
    expect(visitor.alpnProtocol).toBe("h2");
    visitor.destroy();
  });
});
