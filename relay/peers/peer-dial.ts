/** Connections to one other relay: they share a context and the newest session, which spares most of them a whole handshake. */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import { lookupWithLoopback } from "../../shared/nodejs/loopback-lookup.ts";
import { problemOfRelay } from "../../shared/nodejs/proved-id.ts";
import { resetThrough } from "../../shared/nodejs/reset.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import { peerAlpn } from "./protocol.ts";

const keepAliveMs = 30_000;

/**
 * Calls back once the other relay has proved to be the one that was meant, or with what is wrong with who answered.
 * Never after the socket has closed.
 */
export type PeerDial = (onReady: (problem?: string) => void) => TLSSocket;

/** `context` is that of `createPoolContext` with this relay's identity. */
export function createPeerDial(
  { relay, host, port, name }: Pick<FleetRelay, "relay" | "host" | "port" | "name">,
  secureContext: SecureContext,
): PeerDial {
  let session: Buffer | undefined;
  /** Where the name led: it is not asked for again for each visitor. */
  let reached: string | undefined;
  return (onReady) => {
    const tcp = dialTcp(reached ?? host, port);
    tcp.on("error", () => {}); // the TLS socket on it tells
    const tls: TLSSocket = connectTls({
      socket: tcp,
      secureContext,
      session,
      servername: name,
      ALPNProtocols: [peerAlpn],
      rejectUnauthorized: false, // self-signed; its key is compared below
    });
    tls.on("error", () => {}); // "close" follows
    tls.once("secureConnect", () => {
      // A resumed session shows no certificate; it was kept only because its first connection had the right one.
      const problem = tls.isSessionReused() ? undefined : problemOfRelay(tls, relay, peerAlpn);
      if (problem) return onReady(problem);
      reached = tcp.remoteAddress;
      tls.on("session", (ticket) => (session = ticket));
      onReady();
    });
    return resetThrough(tls, tcp);
  };
}

function dialTcp(host: string, port: number): Socket {
  return connect({
    host,
    port,
    lookup: lookupWithLoopback,
    noDelay: true,
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  });
}
