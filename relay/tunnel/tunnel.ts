/**
 * What the relay needs of a tunnel, whatever carries it: a socket to the node for one visitor. Routing and splicing
 * know no more than this, and every transport passes the same behaviour suite (test/tunnel/behaviour.ts).
 */
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { Goaway } from "../../shared/tunnel/control.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";

/** A visitor that waits for its node. */
export interface PendingVisitor {
  readonly addresses: ProxyAddresses;
  /** Everything it has sent so far: at least a whole ClientHello. */
  readonly firstBytes: Uint8Array;
  /** True once it has left; nothing needs to be opened for it any more. */
  readonly gone: boolean;
}

export type Pairing =
  /** The node has answered: its first bytes wait in `socket`. */
  | { kind: "paired"; socket: TunnelSocket }
  /** `closed`: the tunnel ended; `busy`: too many wait; `timeout`: no answer in time; `broken`: twice cut before an answer. */
  | { kind: "failed"; reason: "closed" | "busy" | "timeout" | "broken" | "gone" };

export interface Tunnel {
  readonly node: NodeId;
  readonly epoch: number;
  /** Takes a visitor without a wait. */
  readonly ready: boolean;

  /** Gives the visitor's address and first bytes to the node. Never rejects. */
  pair(visitor: PendingVisitor): Promise<Pairing>;

  /** Whether the node lives at some time after this call: an end of its bytes is then what it meant to send. */
  proveAlive(): Promise<boolean>;

  /** Takes no new visitor from now on and tells the node why; what runs may finish, then the tunnel closes. */
  retire(goaway: Goaway): void;

  /** Ends everything at once; visitors see a reset. */
  destroy(): void;
}
