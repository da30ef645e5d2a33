/** How a pool connection reaches the relay: as it is, or inside TLS where nothing else is let through. */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { createPoolContext } from "../../shared/nodejs/pool-tls.ts";
import { problemOfRelay } from "../../shared/nodejs/proved-id.ts";
import { resetThrough } from "../../shared/nodejs/reset.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import { encodePoolPreface, poolAlpn } from "../../shared/tunnel/pool.ts";

const keepAliveMs = 30_000;

/** The address that the control connection has reached: a name may lead elsewhere the next time. */
export interface RelayAddress {
  readonly host: string;
  readonly port: number;
}

/** Calls back once the pass is said, or with what is wrong with who answered. Never after the socket has closed. */
export type Dial = (relay: RelayAddress, pass: Uint8Array, onReady: (problem?: string) => void) => Socket;

export const dialPlain: Dial = (relay, pass, onReady) => {
  const socket = dialTcp(relay);
  socket.write(encodePoolPreface(pass));
  socket.once("connect", () => onReady());
  return socket;
};

/** Connections to one relay that share a context and the newest session, which spares most of them a whole handshake. */
export function createTlsDial({ relay, name }: Pick<RelayEndpoint, "relay" | "name">): Dial {
  const secureContext = createPoolContext();
  let session: Buffer | undefined;
  return (address, pass, onReady) => {
    const tcp = dialTcp(address);
    tcp.on("error", () => {}); // the TLS socket on it tells
    const tls: TLSSocket = connectTls({
      socket: tcp,
      secureContext,
      session,
      servername: name,
      ALPNProtocols: [poolAlpn],
      rejectUnauthorized: false, // self-signed; its key is compared below
    });
    tls.once("secureConnect", () => {
      // A resumed session has no certificate; it was kept only because its first connection had the right one.
      const problem = tls.isSessionReused() ? undefined : problemOfRelay(tls, relay, poolAlpn);
      if (problem) return onReady(problem);
      tls.on("session", (ticket) => (session = ticket));
      tls.write(encodePoolPreface(pass));
      onReady();
    });
    return resetThrough(tls, tcp);
  };
}

function dialTcp(relay: RelayAddress): Socket {
  return connect({
    ...relay,
    noDelay: true,
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  });
}
