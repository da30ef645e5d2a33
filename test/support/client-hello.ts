import { Duplex } from "node:stream";
import { connect } from "node:tls";

/** The bytes with which Node's own TLS client opens a connection to `serverName`. */
export function clientHelloOf(serverName: string, alpn: readonly string[] = []): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        done();
        resolve(chunk);
        setImmediate(() => client.destroy());
      },
    });
    const client = connect({ socket: wire, servername: serverName, ALPNProtocols: [...alpn] });
    client.on("error", () => {});
  });
}
