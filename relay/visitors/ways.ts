/** How a visitor gets to its node: by a tunnel of this relay, or by another relay that has one. */
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { RelayMetrics } from "../operations/metrics.ts";
import type { Forwarding } from "../peers/peers.ts";
import type { Refusal } from "./refusals.ts";
import type { Pairing, PendingVisitor, Tunnel } from "../tunnel/tunnel.ts";
import type { Tunnels } from "../tunnel/tunnels.ts";

export interface WaysOptions {
  tunnels: Tunnels;
  /** Asks other relays to take a visitor whose node has no tunnel here. */
  forward: (node: string, visitor: PendingVisitor) => Promise<Forwarding>;
  metrics: RelayMetrics;
}

/** A socket that leads to the node, and whether an end of its bytes is one that was meant. */
export interface Way {
  readonly socket: TunnelSocket;
  readonly proveAlive: () => Promise<boolean>;
  readonly via?: NodeId;
}

export class Ways {
  readonly #options: WaysOptions;

  constructor(options: WaysOptions) {
    this.#options = options;
  }

  /** By a tunnel of this relay, else by another relay, unless that is where the visitor came `from`. Never rejects. */
  async find(
    { node, epoch }: { node: string; epoch: number },
    visitor: PendingVisitor,
    from: NodeId | undefined,
  ): Promise<Way | Refusal> {
    const own = await this.#pair(node, epoch, visitor);
    if (from || (own !== "no-tunnel" && own !== "pairing-closed")) return own;
    const forwarding = await this.#options.forward(node, visitor);
    if (forwarding.kind === "forwarded") return forwarding;
    switch (forwarding.reason) {
      case "no-relay":
        return own;
      case "full":
      case "refused":
        return `forward-${forwarding.reason}`;
      case "timeout":
      case "gone":
        return `pairing-${forwarding.reason}`;
    }
  }

  async #pair(node: string, epoch: number, visitor: PendingVisitor): Promise<Way | Refusal> {
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
      if (pairing.kind === "paired") return { socket: pairing.socket, proveAlive: () => tunnel.proveAlive() };
    }
    return `pairing-${pairing.reason}`;
  }
}
