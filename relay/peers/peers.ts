/**
 * Forwards visitors whose node has no tunnel here to a relay that has one. The other relay finds the owner of the name
 * itself, and never forwards again.
 */
import type { SecureContext } from "node:tls";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { createPoolContext } from "../../shared/nodejs/pool-tls.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { RelayLimits } from "../config.ts";
import { Shares } from "../limits/shares.ts";
import type { RelayMetrics } from "../operations/metrics.ts";
import type { Pairing, PendingVisitor } from "../tunnel/tunnel.ts";
import { PeerLink } from "./peer-link.ts";
import { decideTries } from "./tries.ts";

export interface PeersOptions {
  identity: Identity;
  limits: Pick<RelayLimits, "maxForwarded" | "perPeer" | "pairingMs" | "pingMs">;
  /** The relays that live, as the edge has told. */
  fleet: () => readonly FleetRelay[];
  /** Where a node has its tunnels, as the edge has told. */
  relaysOf: (node: string) => readonly NodeId[];
  metrics: RelayMetrics;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** The way to a visitor's node through another relay. */
export interface Forwarded {
  kind: "forwarded";
  socket: TunnelSocket;
  via: NodeId;
  /** As {@link Tunnel.proveAlive}, of the other relay. */
  proveAlive: () => Promise<boolean>;
}

/** `no-relay`: nobody is known to have the node; `full`: too many are forwarded already; `refused`: nobody took it. */
export type Forwarding = Forwarded | { kind: "failed"; reason: "no-relay" | "full" | "refused" | "timeout" | "gone" };

export class Peers {
  readonly #options: PeersOptions;
  readonly #secureContext: SecureContext;
  readonly #links = new Map<NodeId, PeerLink>();
  readonly #failedAt = new Map<NodeId, number>();
  readonly #shares: Shares;
  #forwarded = 0;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#secureContext = createPoolContext(options.identity);
    this.#shares = new Shares({ ...options.limits.perPeer, clock: options.clock });
  }

  /** Visitors that are forwarded, or wait for that. */
  get forwarded(): number {
    return this.#forwarded;
  }

  /** Relays that connections are open to. */
  get links(): number {
    return this.#links.size;
  }

  /** Asks the relays that may have the node's tunnel, one after the other. Never rejects. */
  async forward(node: string, visitor: PendingVisitor): Promise<Forwarding> {
    const { limits, fleet, relaysOf, identity, metrics, clock, random } = this.#options;
    const tries = decideTries({
      relays: relaysOf(node),
      fleet: fleet(),
      self: identity.id,
      failedAt: (relay) => this.#failedAt.get(relay),
      now: clock.now(),
      random: random(),
    });
    if (tries.length === 0) return { kind: "failed", reason: "no-relay" };
    const forwarding: Forwarding =
      this.#forwarded < limits.maxForwarded ? await this.#try(tries, visitor) : { kind: "failed", reason: "full" };
    metrics.forwarded("out", forwarding.kind === "failed" ? forwarding.reason : "served");
    return forwarding;
  }

  /** Ends every connection to other relays; visitors see a reset. */
  destroy(): void {
    for (const link of this.#links.values()) link.destroy();
  }

  async #try(tries: readonly FleetRelay[], visitor: PendingVisitor): Promise<Forwarding> {
    const startedAt = this.#options.clock.now();
    let reason: "full" | "refused" = "full";
    for (const peer of tries) {
      const { relay: via } = peer;
      if ((this.#failedAt.get(via) ?? -1) > startedAt) continue; // there is no sense in asking it twice
      if (this.#shares.enter(via)) continue;
      this.#forwarded++;
      const leave = (): void => {
        this.#shares.leave(via);
        this.#forwarded--;
      };
      const link = this.#linkTo(peer);
      const pairing: Pairing = await link.pair(visitor);
      if (pairing.kind === "paired") {
        const { socket } = pairing;
        if (socket.closed) leave();
        else socket.once("close", leave);
        this.#failedAt.delete(via);
        return { kind: "forwarded", socket, via, proveAlive: () => link.proveAlive() };
      }
      leave();
      // The other relay waits as long for the node, and another one would hardly do better.
      if (pairing.reason === "timeout" || pairing.reason === "gone") return pairing as Forwarding;
      reason = "refused";
    }
    return { kind: "failed", reason };
  }

  #linkTo(peer: FleetRelay): PeerLink {
    const known = this.#links.get(peer.relay);
    if (known) return known;
    const { limits, clock, log } = this.#options;
    const { relay, name } = peer;
    const { pingMs, pairingMs } = limits;
    const onEnd = (end: "quiet" | "lost", detail: string): void => {
      this.#links.delete(relay);
      log[end === "lost" ? "warn" : "debug"]("peer.closed", { relay, name, detail });
      if (end === "lost") this.#doubt(relay);
    };
    const link = new PeerLink({ peer, secureContext: this.#secureContext, pingMs, pairingMs, clock, onEnd });
    this.#links.set(relay, link);
    log.debug("peer.opened", { relay, name });
    return link;
  }

  #doubt(relay: NodeId): void {
    const { fleet, clock } = this.#options;
    this.#failedAt.set(relay, clock.now());
    for (const id of this.#failedAt.keys()) if (!fleet().some((one) => one.relay === id)) this.#failedAt.delete(id);
  }
}
