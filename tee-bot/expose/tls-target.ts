import { connect } from "node:net";
import type { Log } from "../../shared/log.ts";
import { splice } from "../../shared/nodejs/splice.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { encodeAlert } from "../../shared/tls/alert.ts";
import { encodeProxyHeader, type ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import type { Target } from "./target.ts";

const connectTimeoutMs = 5_000;
const idleMs = 60 * 60_000; // the relay has the shorter limit; this one only ends what the relay forgot

/** Hands a visitor's bytes, TLS and all, to a local TLS server: the node cannot read them either. */
export function passToTls(
  visitor: TunnelSocket,
  client: ProxyAddresses,
  target: Extract<Target, { kind: "tls" }>,
  log: Log,
): void {
  const upstream = connect({ host: target.host, port: target.port, noDelay: true, allowHalfOpen: true });
  const giveUp = (error: Error): void => {
    log.info("upstream.failed", { error: error.message });
    upstream.destroy();
    visitor.end(encodeAlert("internal_error"));
    visitor.resume();
  };
  const onVisitorGone = (): void => void upstream.destroy();
  const onTimeout = (): void => giveUp(new Error("it took too long to connect"));

  upstream.setTimeout(connectTimeoutMs, onTimeout);
  upstream.once("error", giveUp);
  visitor.once("close", onVisitorGone);
  upstream.once("connect", () => {
    upstream.setTimeout(0, onTimeout);
    upstream.off("error", giveUp);
    visitor.off("close", onVisitorGone);
    if (target.proxy) upstream.write(encodeProxyHeader(client));
    void splice(visitor, upstream, { idleMs });
  });
}
