import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { probeHandshake } from "../../../relay/probes/handshake.ts";
import { encodeAlert, type AlertDescription } from "../../../shared/tls/alert.ts";
import { createTestCertificate, type TestCertificate } from "../../support/certificate.ts";

const name = "alice.zone.test";
let certificate: TestCertificate;

beforeAll(async () => {
  certificate = await createTestCertificate({ hostnames: [name] });
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
const ends: (() => void)[] = [];

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

const onConnection = (treat: (socket: Socket) => void): Promise<number> =>
  listening(createServer((socket) => void socket.once("data", () => treat(socket))));
const sayAlert = (alert: AlertDescription) => onConnection((socket) => socket.end(encodeAlert(alert)));
const serveTls = (): Promise<number> =>
  listening(createTlsServer({ cert: certificate.certificate, key: certificate.key }));
const digest = ({ leaf }: TestCertificate): string =>
  createHash("sha256")
    .update(leaf.publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");

const probe = (port: number, key?: string, serverName = name) =>
  probeHandshake({ address: "127.0.0.1", port, serverName, key });

describe("a handshake with what answers for a name", () => {
  it("is good when the key is that of the certificate, whatever else it says", async () => {
    expect(await probe(await serveTls(), digest(certificate), "other.zone.test")).toEqual({ outcome: "up" });
  });

  it("tells another key", async () => {
    expect(await probe(await serveTls(), "0".repeat(64))).toEqual({
      outcome: "another-key",
      detail: "serves another key than the certificate was issued for",
    });
  });

  it("looks at the certificate's name where no key is known", async () => {
    const port = await serveTls();
    expect(await probe(port)).toEqual({ outcome: "up" });
    expect(await probe(port, undefined, "bob.zone.test")).toMatchObject({ outcome: "another-name" });
  });

  it.each(["internal_error", "unrecognized_name", "handshake_failure"] as const)(
    "tells the alert %s",
    async (alert) => {
      expect(await probe(await sayAlert(alert))).toEqual({ outcome: "refused", detail: `refused: ${alert}` });
    },
  );

  it("says nothing of a node that lets nobody in from here", async () => {
    expect(await probe(await sayAlert("access_denied"))).toEqual({ outcome: "hidden" });
  });

  it("tells a port at which nobody listens", async () => {
    const port = await serveTls();
    for (const end of ends.splice(0)) end();
    expect(await probe(port)).toEqual({ outcome: "unreachable", detail: `nobody listens at 127.0.0.1:${port}` });
  });

  it.each<[string, (socket: Socket) => void]>([
    ["reset", (socket) => void socket.resetAndDestroy()],
    ["ended", (socket) => void socket.end()],
  ])("tells a connection that is %s before its end", async (_, treat) => {
    const detail = "the connection was cut during the TLS handshake";
    expect(await probe(await onConnection(treat))).toEqual({ outcome: "broken", detail });
  });

  it("tells what does not speak TLS", async () => {
    const port = await onConnection((socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await probe(port)).toMatchObject({ outcome: "broken", detail: "what answers does not speak TLS" });
  });

  it("waits no longer than five seconds", async () => {
    const startedAt = performance.now();
    expect(await probe(await onConnection(() => {}))).toEqual({ outcome: "silent", detail: "no answer within 5 s" });
    expect(performance.now() - startedAt).toBeLessThan(6_500);
  }, 10_000);
});
