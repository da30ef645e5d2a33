/** TLS connections to one relay: they share a context and the newest session, which spares most of them a whole handshake. */
import { connect, type SecureContext, type TLSSocket } from "node:tls";
import type { RelayEndpoint } from "../registry/messages.ts";
import { dialTcp } from "./dial-tcp.ts";
import { ignoreErrors } from "./ignore-errors.ts";
import { problemOfRelay } from "./proved-id.ts";
import { resetThrough } from "./reset.ts";

export interface RelayDialOptions extends Pick<RelayEndpoint, "relay" | "name"> {
  alpn: string;
  /** That of `createPoolContext`, with the dialler's identity where it is to prove it. */
  secureContext: SecureContext;
}

/**
 * Calls back once the relay has proved to be the one that was meant, or with what is wrong with who answered. Never after
 * the socket has closed.
 */
export type RelayDial = (host: string, port: number, onReady: (problem?: string) => void) => TLSSocket;

export function createRelayDial({ relay, name, alpn, secureContext }: RelayDialOptions): RelayDial {
  let session: Buffer | undefined;
  return (host, port, onReady) => {
    const tcp = ignoreErrors(dialTcp(host, port));
    const tls = connect({
      socket: tcp,
      secureContext,
      session,
      servername: name,
      ALPNProtocols: [alpn],
      rejectUnauthorized: false, // self-signed; its key is compared below
    });
    ignoreErrors(tls).once("secureConnect", () => {
      // A resumed session shows no certificate; it was kept only because its first connection had the right one.
      const problem = tls.isSessionReused() ? undefined : problemOfRelay(tls, relay, alpn);
      if (problem === undefined) tls.on("session", (ticket) => (session = ticket));
      onReady(problem);
    });
    return resetThrough(tls, tcp);
  };
}
