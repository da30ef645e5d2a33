/** The public side of a node without relay and tunnel: visitors' connections go straight to its terminator. */
import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { request, type RequestOptions } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { silentLog, type Log } from "../../../shared/log.ts";
import type { ProxyAddresses } from "../../../shared/tunnel/proxy-header.ts";
import { Terminator, type HttpHandler } from "../../../tee-bot/server/terminator.ts";
import { createTestCertificate } from "../../support/certificate.ts";

export const publicHost = "demo.test";
export const visitorAddresses: ProxyAddresses = {
  sourceAddress: "203.0.113.9",
  sourcePort: 4711,
  destinationAddress: "192.0.2.1",
  destinationPort: 443,
};
const timeoutMs = 10_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface PublicName extends AsyncDisposable {
  readonly terminator: Terminator;
  /** A TLS connection that speaks HTTP/1.1 as the test writes it. */
  dial(protocol?: "http/1.1" | "h2"): Promise<TLSSocket>;
  /** Writes a request as it is and resolves to all that is answered until the connection ends. */
  exchange(text: string): Promise<string>;
  /** A request over HTTP/1.1; the caller sends the body and reads the answer. */
  open(options: RequestOptions): ReturnType<typeof request>;
  ask(path: string, options?: RequestOptions & { body?: string | Buffer }): Promise<Answer>;
  http2(): ClientHttp2Session;
}

const certificate = await createTestCertificate({ hostnames: [publicHost] });

export async function startPublicName(
  handler: HttpHandler,
  { log = silentLog, addresses = visitorAddresses }: { log?: Log; addresses?: ProxyAddresses } = {},
): Promise<PublicName> {
  const terminator = new Terminator({ handler, log });
  terminator.setCertificate(certificate.certificate, certificate.key);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // as the tunnel does
    terminator.accept(socket, addresses);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const tls = { port, host: "127.0.0.1", ca: certificate.certificate, servername: publicHost };

  const connect = (protocol: string): TLSSocket => {
    const socket = connectTls({ ...tls, ALPNProtocols: [protocol] });
    sockets.add(socket);
    return socket.on("error", () => {});
  };
  const open: PublicName["open"] = (options) =>
    request({
      ...tls,
      agent: false,
      timeout: timeoutMs,
      ...options,
      headers: { host: publicHost, ...(options.headers as OutgoingHttpHeaders) },
    });
  return {
    terminator,
    open,
    async dial(protocol = "http/1.1") {
      const socket = connect(protocol);
      await once(socket, "secureConnect");
      return socket;
    },
    async exchange(text) {
      const socket = connect("http/1.1");
      socket.setTimeout(timeoutMs, () => socket.destroy());
      let answer = "";
      socket.setEncoding("latin1").on("data", (part: string) => (answer += part));
      await once(socket, "secureConnect");
      socket.write(text, "latin1");
      await once(socket, "close");
      return answer;
    },
    ask(path, { body, ...options } = {}) {
      return new Promise((resolve, reject) => {
        const sent = open({ path, ...options });
        sent.once("error", reject);
        sent.once("timeout", () => sent.destroy(new Error("timed out")));
        sent.once("response", (response) => void readAnswer(response).then(resolve, reject));
        sent.end(body);
      });
    },
    http2() {
      const session = connectHttp2(`https://${publicHost}:${port}`, { createConnection: () => connect("h2") });
      return session.on("error", () => {});
    },
    [Symbol.asyncDispose]: async () => {
      terminator.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads an answer to its end. Rejects when it breaks off. */
export async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() };
}
