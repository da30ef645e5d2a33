/** How a pool connection reaches the relay: as it is, or inside TLS where nothing else is let through. */
import type { Socket } from "node:net";
import { dialTcp } from "../../shared/nodejs/dial-tcp.ts";
import { createPoolContext } from "../../shared/nodejs/pool-tls.ts";
import { createRelayDial } from "../../shared/nodejs/relay-dial.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import { encodePoolPreface, poolAlpn } from "../../shared/tunnel/pool.ts";

/** The address that the control connection has reached: a name may lead elsewhere the next time. */
export interface RelayAddress {
  readonly host: string;
  readonly port: number;
}

/** Calls back once the pass is said, or with what is wrong with who answered. Never after the socket has closed. */
export type Dial = (relay: RelayAddress, pass: Uint8Array, onReady: (problem?: string) => void) => Socket;

export const dialPlain: Dial = ({ host, port }, pass, onReady) => {
  const socket = dialTcp(host, port);
  socket.write(encodePoolPreface(pass));
  socket.once("connect", () => onReady());
  return socket;
};

/** For all connections to one relay. */
export function createTlsDial({ relay, name }: Pick<RelayEndpoint, "relay" | "name">): Dial {
  const dial = createRelayDial({ relay, name, alpn: poolAlpn, secureContext: createPoolContext() });
  return ({ host, port }, pass, onReady) => {
    const tls = dial(host, port, (problem) => {
      if (problem === undefined) tls.write(encodePoolPreface(pass));
      onReady(problem);
    });
    return tls;
  };
}
