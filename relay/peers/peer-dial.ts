import type { SecureContext, TLSSocket } from "node:tls";
import { createRelayDial } from "../../shared/nodejs/relay-dial.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import { peerAlpn } from "./protocol.ts";

/** Opens a connection to one other relay and calls back as {@link createRelayDial} says. */
export type PeerDial = (onReady: (problem?: string) => void) => TLSSocket;

/** `secureContext` is that of `createPoolContext` with this relay's identity. */
export function createPeerDial(
  { relay, host, port, name }: Pick<FleetRelay, "relay" | "host" | "port" | "name">,
  secureContext: SecureContext,
): PeerDial {
  const dial = createRelayDial({ relay, name, alpn: peerAlpn, secureContext });
  /** Where the name led: it is not asked for again for each visitor. */
  let reached: string | undefined;
  return (onReady) => {
    const tls = dial(reached ?? host, port, (problem) => {
      if (problem === undefined) reached = tls.remoteAddress;
      onReady(problem);
    });
    return tls;
  };
}
