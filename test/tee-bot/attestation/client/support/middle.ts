/** Somebody in the middle who ends TLS: real TLS on both hops, with whatever certificate they have got. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import type { TestCertificate } from "../../../../support/certificate.ts";

const theirs = { host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] };

export interface Middle extends AsyncDisposable {
  readonly port: number;
  /** What was read of the node's answers, in clear. */
  readonly overheard: string;
  /** Changes the node's whole answer, for whoever asked on the near connection. */
  rewrite: (answer: string, near: TLSSocket) => string;
}

/** `servername` is for a way to the node that asks for one, such as a relay. */
export async function startMiddle(
  target: number,
  { certificate, key }: Pick<TestCertificate, "certificate" | "key">,
  servername = "",
): Promise<Middle> {
  const sockets = new Set<TLSSocket>();
  let overheard = "";
  const server = createServer({ cert: certificate, key, ALPNProtocols: ["http/1.1"] }, (near) => {
    const far = connect({ ...theirs, port: target, servername });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy()).on("close", () => sockets.delete(socket));
    }
    near.pipe(far);
    let answer = "";
    far.on("data", (part: Buffer) => (answer += part.toString("latin1")));
    far.on("end", () => {
      overheard += answer;
      near.end(Buffer.from(middle.rewrite(answer, near), "latin1"));
    });
  }).listen(0, "127.0.0.1");
  server.on("tlsClientError", () => {});
  await once(server, "listening");
  const middle: Middle = {
    port: (server.address() as AddressInfo).port,
    get overheard() {
      return overheard;
    },
    rewrite: (answer) => answer,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return middle;
}
