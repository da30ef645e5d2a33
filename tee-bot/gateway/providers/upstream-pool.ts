import { Pool } from "undici";
import { checkedConnector, type CheckPeer } from "../../attestation/near/peer-key.ts";
import { connectorOf } from "../../upstream/connector.ts";
import { isRefused } from "./unreachable.ts";

/** More than calls are let in at once; a bound all the same. */
const maxConnections = 4_096;
/** They reach the client with ours, and many clients take 16 KiB. */
const maxAnswerHeaderBytes = 14 * 1024;
const keepAliveMs = 30_000;

export interface UpstreamPoolOptions {
  connectTimeoutMs: number;
  /** Told at once when a call finds nobody listening, so that the next one need not. */
  onRefused: () => void;
  /** Looks at the peer of each connection before anything is sent; undefined: public authorities are enough. */
  checkPeer?: CheckPeer | undefined;
}

/** Connections to one provider, kept between calls. How long an answer may take is judged by who calls. */
export function openPool(origin: string, { connectTimeoutMs, onRefused, checkPeer }: UpstreamPoolOptions): Pool {
  const connect = connectorOf({ timeout: connectTimeoutMs, allowH2: false });
  const pool = new Pool(origin, {
    connections: maxConnections,
    connect: checkPeer ? checkedConnector(connect, checkPeer) : connect,
    // One connection a call: in HTTP/2 a stalled one would hold up the others, and undici 8.12 holds back all calls
    // until the first TLS handshake has shown which protocol it is.
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: maxAnswerHeaderBytes,
  });
  pool.on("connectionError", (_origin, _targets, error) => {
    if (isRefused(error)) onRefused();
  });
  return pool;
}
