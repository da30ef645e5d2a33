import { createHash, type X509Certificate } from "node:crypto";
import { TLSSocket } from "node:tls";
import { buildConnector, Client, type Dispatcher } from "undici";

const connectTimeoutMs = 10_000;

export interface ReportConnection extends AsyncDisposable {
  readonly dispatcher: Dispatcher;
  /** SHA-256 of the key of the certificate that it has shown, hex; undefined: no TLS, or no connection. */
  readonly peer: string | undefined;
}

/**
 * A connection of its own for one report, since the report's evidence is to name the key of just this one.
 * `ca`: PEM, in place of the authorities that Node knows; for tests.
 */
export function openReportConnection(origin: string, ca?: string): ReportConnection {
  let peer: string | undefined;
  const connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false, ...(ca !== undefined && { ca }) });
  const client = new Client(origin, {
    pipelining: 1,
    connect: (options, callback) =>
      connect(options, (...[error, socket]) => {
        if (error) return callback(error, null);
        if (socket instanceof TLSSocket) peer = fingerprintOf(socket.getPeerX509Certificate());
        callback(null, socket);
      }),
  });
  return {
    dispatcher: client,
    get peer() {
      return peer;
    },
    async [Symbol.asyncDispose]() {
      await client.destroy();
    },
  };
}

/** SHA-256 of the SubjectPublicKeyInfo. */
function fingerprintOf(certificate: X509Certificate | undefined): string | undefined {
  const spki = certificate?.publicKey.export({ type: "spki", format: "der" });
  return spki && createHash("sha256").update(spki).digest("hex");
}
