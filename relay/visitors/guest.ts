import type { Socket } from "node:net";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import type { PendingVisitor } from "../tunnel/tunnel.ts";

/** What is known of a visitor when it comes. */
export interface Arrival {
  readonly socket: Socket;
  /** Where it comes from and which relay's port it reached; undefined when its socket was closed already. */
  readonly addresses: ProxyAddresses | undefined;
  readonly network: string;
  /** The relay that has forwarded it to this one. */
  readonly from?: NodeId | undefined;
  readonly serverName: string | undefined;
  readonly firstBytes: Buffer;
  readonly cameAt: number;
}

const nothing = Buffer.alloc(0);

/** A visitor and what is known of it so far. */
export class Guest implements Arrival {
  readonly socket: Socket;
  readonly addresses: ProxyAddresses | undefined;
  readonly network: string;
  readonly from: NodeId | undefined;
  readonly serverName: string | undefined;
  readonly cameAt: number;
  firstBytes: Buffer;
  /** The relay that it was forwarded to. */
  via: NodeId | undefined;
  /** Whose name it asked for, once that is known. */
  node: string | undefined;

  constructor({ socket, addresses, network, from, serverName, firstBytes, cameAt }: Arrival) {
    this.socket = socket;
    this.addresses = addresses;
    this.network = network;
    this.from = from;
    this.serverName = serverName;
    this.firstBytes = firstBytes;
    this.cameAt = cameAt;
  }

  get gone(): boolean {
    return this.socket.destroyed;
  }

  /** Once its node has answered: visitors may stay for a day. */
  forgetFirstBytes(): void {
    this.firstBytes = nothing;
  }
}

/** False when the socket was gone before its addresses could be read. */
export function hasAddresses(guest: Guest): guest is Guest & PendingVisitor {
  return guest.addresses !== undefined;
}
