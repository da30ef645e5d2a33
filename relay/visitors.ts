/**
 * One visitor from its ClientHello to its end: whose name is it, which tunnel, then bytes both ways. What fails before
 * the first byte of the node is told as a TLS alert; what fails after it is a reset.
 */
import type { Socket } from "node:net";
import type { Clock } from "../shared/clock.ts";
import { errorText } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import { splice, type SpliceOptions } from "../shared/nodejs/splice.ts";
import type { TunnelSocket } from "../shared/nodejs/tunnel-socket.ts";
import type { NodeRules } from "../shared/registry/messages.ts";
import { parseHostname } from "../shared/registry/names.ts";
import type { AlertDescription } from "../shared/tls/alert.ts";
import type { AccessLog } from "./access-log.ts";
import type { Farewell } from "./farewell.ts";
import type { NodePolicies } from "./limits/node-policy.ts";
import type { Shares } from "./limits/shares.ts";
import type { RelayMetrics } from "./metrics.ts";
import { networkOf } from "./network.ts";
import type { Pairing, PendingVisitor, Tunnel } from "./tunnel.ts";
import type { Tunnels } from "./tunnels.ts";

/** Whose name it is: the node and the epoch that may serve it. */
export interface OwningNode {
  kind: "node";
  node: string;
  epoch: number;
  rules: NodeRules | undefined;
}
export type Owner = OwningNode | { kind: "unknown" } | { kind: "unavailable" };

export interface VisitorsOptions {
  zone: string;
  maxVisitors: number;
  idleMs: number;
  stalledMs: number;
  /** What one network, and one node, may have of this relay. */
  shares: { networks: Shares; nodes: Shares };
  policies: NodePolicies;
  findOwner: (name: string) => Owner | Promise<Owner>;
  tunnels: Tunnels;
  farewell: Farewell;
  metrics: RelayMetrics;
  access: AccessLog;
  clock: Clock;
  log: Log;
}

/** Why a visitor is not served, and what its client is told. */
const refusals = {
  "no-name": "unrecognized_name",
  "foreign-name": "unrecognized_name",
  "unknown-name": "unrecognized_name",
  "lookup-unavailable": "internal_error",
  "no-tunnel": "internal_error",
  "too-many-visitors": "internal_error",
  "network-rate": "internal_error",
  "network-full": "internal_error",
  "not-allowed": "access_denied",
  "node-rate": "internal_error",
  "node-full": "internal_error",
  "pairing-closed": "internal_error",
  "pairing-busy": "internal_error",
  "pairing-timeout": "internal_error",
  "pairing-broken": "internal_error",
  "pairing-gone": "internal_error",
} as const satisfies Record<string, AlertDescription>;

type Refusal = keyof typeof refusals;

/** A visitor and what is known of it so far. */
interface Guest {
  readonly socket: Socket;
  readonly network: string;
  readonly serverName: string | undefined;
  readonly firstBytes: Buffer;
  readonly cameAt: number;
  /** Whose name it asked for, once that is known. */
  node?: string;
}

export class Visitors {
  readonly #options: VisitorsOptions;
  readonly #sockets = new Set<Socket>();
  #lastAt: number | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: VisitorsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** When the last one came (by the clock); undefined before the first. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** Resolves when the visitor has left or was refused; never rejects. The socket is read by nobody else. */
  async serve(socket: Socket, serverName: string | undefined, firstBytes: Buffer): Promise<void> {
    const { maxVisitors, shares, clock, log } = this.#options;
    const network = networkOf(socket.remoteAddress ?? "");
    const guest: Guest = { socket, network, serverName, firstBytes, cameAt: clock.now() };
    this.#lastAt = guest.cameAt;
    const refused = shares.networks.enter(network);
    if (refused) return this.#refuse(guest, `network-${refused}`);
    socket.once("close", () => shares.networks.leave(network));
    if (this.#sockets.size >= maxVisitors) return this.#refuse(guest, "too-many-visitors");
    this.#sockets.add(socket);
    socket.once("close", () => this.#left(guest));
    try {
      await this.#serve(guest);
    } catch (error) {
      // Whatever it is, it is this visitor's end and nobody else's.
      log.error("visitor.failed", { error: errorText(error) });
      socket.resetAndDestroy();
      this.#tell(guest, "failed");
    }
  }

  /** Resolves when no visitor is left. */
  emptied(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onEmpty = resolve));
  }

  /** Bytes of the visitors that are here now: what they sent, and what was sent to them. */
  bytes(): { received: number; sent: number } {
    let received = 0;
    let sent = 0;
    for (const socket of this.#sockets) {
      received += socket.bytesRead;
      sent += socket.bytesWritten;
    }
    return { received, sent };
  }

  async #serve(guest: Guest): Promise<void> {
    const startedAt = performance.now();
    const { socket } = guest;
    const { nodes } = this.#options.shares;
    const owner = await this.#find(guest.serverName);
    if (typeof owner === "string") return this.#refuse(guest, owner);
    guest.node = owner.node;
    const policy = owner.rules && this.#options.policies.of(owner.rules);
    if (policy && !policy.admits(socket.remoteAddress ?? "")) return this.#refuse(guest, "not-allowed");
    const refused = nodes.enter(owner.node);
    if (refused) return this.#refuse(guest, `node-${refused}`);
    if (socket.closed) nodes.leave(owner.node);
    else socket.once("close", () => nodes.leave(owner.node));
    const visitor = visitorOf(socket, guest.firstBytes);
    if (!visitor) return this.#tell(guest, "left");
    const paired = await this.#pair(owner, visitor);
    if (typeof paired === "string") return this.#refuse(guest, paired);
    this.#options.metrics.paired((performance.now() - startedAt) / 1000);
    await this.#join(guest, paired, policy?.throttles());
  }

  async #find(serverName: string | undefined): Promise<OwningNode | Refusal> {
    if (serverName === undefined) return "no-name";
    if (!parseHostname(serverName, this.#options.zone)) return "foreign-name";
    const owner = await this.#options.findOwner(serverName);
    if (owner.kind === "node") return owner;
    return owner.kind === "unknown" ? "unknown-name" : "lookup-unavailable";
  }

  async #pair(
    { node, epoch }: { node: string; epoch: number },
    visitor: PendingVisitor,
  ): Promise<{ socket: TunnelSocket; tunnel: Tunnel } | Refusal> {
    const { tunnels } = this.#options;
    let pairing: Pairing = { kind: "failed", reason: "closed" };
    let tried: Tunnel | undefined;
    // A tunnel that closes while the visitor waits may have a successor already.
    while (pairing.kind === "failed" && pairing.reason === "closed") {
      const tunnel = tunnels.choose(node, epoch);
      if (!tunnel) return "no-tunnel";
      if (tunnel === tried) return "pairing-closed";
      tried = tunnel;
      if (tunnel.ready) this.#options.metrics.pool("hit");
      pairing = await tunnel.pair(visitor);
      if (pairing.kind === "paired") return { socket: pairing.socket, tunnel };
    }
    return `pairing-${pairing.reason}`;
  }

  async #join(
    guest: Guest,
    { socket: node, tunnel }: { socket: TunnelSocket; tunnel: Tunnel },
    through: SpliceOptions["through"],
  ): Promise<void> {
    const { idleMs, stalledMs, metrics } = this.#options;
    const startedAt = performance.now();
    const confirmEndOfB = (): Promise<boolean> => tunnel.proveAlive();
    const { ended } = await splice(guest.socket, node, { idleMs, stalledMs, confirmEndOfB, through });
    metrics.left(ended, (performance.now() - startedAt) / 1000);
    this.#tell(guest, ended);
  }

  #refuse(guest: Guest, reason: Refusal): void {
    const { metrics, farewell } = this.#options;
    const { socket } = guest;
    metrics.refused(reason);
    if (socket.closed) return this.#tell(guest, reason);
    socket.once("close", () => this.#tell(guest, reason));
    farewell.say(socket, refusals[reason]);
  }

  #left(guest: Guest): void {
    const { socket } = guest;
    this.#sockets.delete(socket);
    this.#options.metrics.moved({ received: socket.bytesRead, sent: socket.bytesWritten });
    if (this.#sockets.size === 0) this.#onEmpty?.();
  }

  /** The last word about a visitor. */
  #tell({ socket, serverName: name, node, network, cameAt }: Guest, outcome: string): void {
    const { access, clock } = this.#options;
    const { bytesRead: bytesIn, bytesWritten: bytesOut } = socket;
    access({ name, node, network, outcome, bytesIn, bytesOut, ms: clock.now() - cameAt });
  }
}

/** Undefined when the socket is gone already, and its addresses with it. */
function visitorOf(socket: Socket, firstBytes: Buffer): PendingVisitor | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (!remoteAddress || !remotePort || !localAddress || !localPort) return undefined;
  return {
    addresses: {
      sourceAddress: remoteAddress,
      sourcePort: remotePort,
      destinationAddress: localAddress,
      destinationPort: localPort,
    },
    firstBytes,
    get gone() {
      return socket.destroyed;
    },
  };
}
