import { buildConnector, Client, type Dispatcher } from "undici";
import { checkedConnector } from "./peer-key.ts";

const connectTimeoutMs = 10_000;

export interface ReportConnection extends AsyncDisposable {
  readonly dispatcher: Dispatcher;
  /** SHA-256 of the key of the certificate that it has shown, hex; undefined: no TLS, or no connection. */
  readonly peer: string | undefined;
}

/** A connection of its own for one report, since the report's evidence is to name the key of just this one. */
export function openReportConnection(origin: string): ReportConnection {
  let peer: string | undefined;
  const connect = checkedConnector(buildConnector({ timeout: connectTimeoutMs, allowH2: false }), (key) => {
    peer = key;
    return undefined;
  });
  const client = new Client(origin, { pipelining: 1, connect });
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
