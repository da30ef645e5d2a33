/**
 * One visitor from its ClientHello to its end: whose name is it, which tunnel, then bytes both ways. What fails before
 * the first byte of the node is told as a TLS alert; what fails after it is a reset.
 */
import type { Socket } from "node:net";
import type { Clock } from "../shared/clock.ts";
import { errorText } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import { splice } from "../shared/nodejs/splice.ts";
import type { TunnelSocket } from "../shared/nodejs/tunnel-socket.ts";
import { parseHostname } from "../shared/registry/names.ts";
import type { AlertDescription } from "../shared/tls/alert.ts";
import type { Farewell } from "./farewell.ts";
import type { RelayMetrics } from "./metrics.ts";
import type { Pairing, PendingVisitor, Tunnel } from "./tunnel.ts";
import type { Tunnels } from "./tunnels.ts";

/** Whose name it is: the node and the epoch that may serve it. */
export type Owner = { kind: "node"; node: string; epoch: number } | { kind: "unknown" } | { kind: "unavailable" };

export interface VisitorsOptions {
  zone: string;
  maxVisitors: number;
  idleMs: number;
  findOwner: (name: string) => Owner | Promise<Owner>;
  tunnels: Tunnels;
  farewell: Farewell;
  metrics: RelayMetrics;
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
  "pairing-closed": "internal_error",
  "pairing-busy": "internal_error",
  "pairing-timeout": "internal_error",
  "pairing-broken": "internal_error",
  "pairing-gone": "internal_error",
} as const satisfies Record<string, AlertDescription>;

type Refusal = keyof typeof refusals;

export class Visitors {
  readonly #options: VisitorsOptions;
  readonly #sockets = new Set<Socket>();
  #onEmpty: (() => void) | undefined;

  constructor(options: VisitorsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Resolves when the visitor has left or was refused; never rejects. The socket is read by nobody else. */
  async serve(socket: Socket, serverName: string | undefined, firstBytes: Buffer): Promise<void> {
    const { maxVisitors, log } = this.#options;
    if (this.#sockets.size >= maxVisitors) return this.#refuse(socket, "too-many-visitors");
    this.#sockets.add(socket);
    socket.once("close", () => this.#left(socket));
    try {
      await this.#serve(socket, serverName, firstBytes);
    } catch (error) {
      // Whatever it is, it is this visitor's end and nobody else's.
      log.error("visitor.failed", { error: errorText(error) });
      socket.resetAndDestroy();
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

  async #serve(socket: Socket, serverName: string | undefined, firstBytes: Buffer): Promise<void> {
    const startedAt = performance.now();
    const owner = await this.#find(serverName);
    if (typeof owner === "string") return this.#refuse(socket, owner);
    const visitor = visitorOf(socket, firstBytes);
    if (!visitor) return;
    const paired = await this.#pair(owner, visitor);
    if (typeof paired === "string") return this.#refuse(socket, paired);
    this.#options.metrics.paired((performance.now() - startedAt) / 1000);
    await this.#join(socket, paired.socket, paired.tunnel);
  }

  async #find(serverName: string | undefined): Promise<{ node: string; epoch: number } | Refusal> {
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
      pairing = await tunnel.pair(visitor);
      if (pairing.kind === "paired") return { socket: pairing.socket, tunnel };
    }
    return `pairing-${pairing.reason}`;
  }

  async #join(visitor: Socket, node: TunnelSocket, tunnel: Tunnel): Promise<void> {
    const { idleMs, metrics, log, clock } = this.#options;
    const startedAt = clock.now();
    const confirmEndOfB = (): Promise<boolean> => tunnel.proveAlive();
    const { ended, bytesFromA, bytesFromB } = await splice(visitor, node, { idleMs, confirmEndOfB });
    metrics.left(ended);
    log.debug("visitor.left", { ended, bytesFromA, bytesFromB, ms: clock.now() - startedAt });
  }

  #refuse(socket: Socket, reason: Refusal): void {
    const { metrics, farewell, log } = this.#options;
    metrics.refused(reason);
    log.debug("visitor.refused", { reason });
    farewell.say(socket, refusals[reason]);
  }

  #left(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#options.metrics.moved({ received: socket.bytesRead, sent: socket.bytesWritten });
    if (this.#sockets.size === 0) this.#onEmpty?.();
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
