/**
 * One visitor from its ClientHello to its end: whose name is it, which tunnel, or which other relay has one, then bytes
 * both ways. What fails before the first byte of the node is told as a TLS alert; what fails after it is a reset.
 */
import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { splice, type SpliceOptions } from "../../shared/nodejs/splice.ts";
import type { NodeRules } from "../../shared/registry/messages.ts";
import { labelBelow } from "../../shared/registry/names.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import type { AccessLog } from "./access-log.ts";
import type { Farewell } from "../door/farewell.ts";
import type { NodePolicies } from "../limits/node-policy.ts";
import type { Shares } from "../limits/shares.ts";
import type { RelayMetrics } from "../operations/metrics.ts";
import { networkOf } from "../limits/network.ts";
import type { ForwardedVisitor } from "../peers/arrival.ts";
import { decideStay, type FirstMoments } from "./first-moments.ts";
import { Guest, hasAddresses } from "./guest.ts";
import { refusals, type Refusal } from "./refusals.ts";
import type { PendingVisitor } from "../tunnel/tunnel.ts";
import { Ways, type Way, type WaysOptions } from "./ways.ts";
import { reset } from "../../shared/nodejs/reset.ts";

/** Whose name it is: the node and the epoch that may serve it. */
export interface OwningNode {
  kind: "node";
  node: string;
  epoch: number;
  rules: NodeRules | undefined;
}
export type Owner = OwningNode | { kind: "unknown" } | { kind: "unavailable" };

export interface VisitorsOptions extends WaysOptions {
  zone: string;
  maxVisitors: number;
  idleMs: number;
  stalledMs: number;
  /** What one network, and one node, may have of this relay. */
  shares: { networks: Shares; nodes: Shares };
  policies: NodePolicies;
  findOwner: (name: string) => Owner | Promise<Owner>;
  /** The newest epoch known of a node. */
  epochOf: (node: string) => number | undefined;
  /** Whether the edge has sent this node here. */
  expects: (node: string) => boolean;
  firstMoments: FirstMoments;
  farewell: Farewell;
  metrics: RelayMetrics;
  access: AccessLog;
  clock: Clock;
  log: Log;
}

export class Visitors {
  readonly #options: VisitorsOptions;
  readonly #ways: Ways;
  readonly #sockets = new Set<Socket>();
  #lastAt: number | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: VisitorsOptions) {
    this.#options = options;
    this.#ways = new Ways(options);
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** When the last one came (by the clock); undefined before the first. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** Resolves when the visitor has left or was refused; never rejects. The socket is read by nobody else. */
  serve(socket: Socket, serverName: string | undefined, firstBytes: Buffer): Promise<void> {
    const { shares, clock } = this.#options;
    const network = networkOf(socket.remoteAddress ?? "");
    const addresses = addressesOf(socket);
    const guest = new Guest({ socket, addresses, network, serverName, firstBytes, cameAt: clock.now() });
    const refused = shares.networks.enter(network);
    if (refused) {
      this.#refuse(guest, `network-${refused}`);
      return Promise.resolve();
    }
    socket.on("close", () => shares.networks.leave(network));
    return this.#welcome(guest);
  }

  /**
   * The same for a visitor that another relay has forwarded; what its network may have was that relay's to judge. It
   * is served by a tunnel of this relay or by none, and a refusal is said without a word, so that another may do better.
   */
  serveForwarded(socket: Socket, from: NodeId, visitor: ForwardedVisitor): Promise<void> {
    const network = networkOf(visitor.addresses.sourceAddress);
    return this.#welcome(new Guest({ ...visitor, socket, network, from, cameAt: this.#options.clock.now() }));
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

  async #welcome(guest: Guest): Promise<void> {
    const { maxVisitors, log } = this.#options;
    const { socket } = guest;
    this.#lastAt = guest.cameAt;
    if (this.#sockets.size >= maxVisitors) return this.#refuse(guest, "too-many-visitors");
    this.#sockets.add(socket);
    socket.on("close", () => this.#left(guest));
    try {
      await this.#serve(guest);
    } catch (error) {
      // Whatever it is, it is this visitor's end and nobody else's.
      log.error("visitor.failed", { error: errorText(error) });
      reset(socket);
      this.#tell(guest, "failed");
    }
  }

  async #serve(guest: Guest): Promise<void> {
    const startedAt = performance.now();
    const { socket } = guest;
    const { metrics, shares } = this.#options;
    const { nodes } = shares;
    const owner = await this.#persist(guest, () => this.#find(guest.serverName));
    if (typeof owner === "string") return this.#refuse(guest, owner);
    guest.node = owner.node;
    const policy = owner.rules && this.#options.policies.of(owner.rules);
    const address = guest.addresses?.sourceAddress ?? "";
    if (policy && !policy.admits(address)) return this.#refuse(guest, "not-allowed");
    const refused = nodes.enter(owner.node);
    if (refused) return this.#refuse(guest, `node-${refused}`);
    if (socket.closed) nodes.leave(owner.node);
    else socket.on("close", () => nodes.leave(owner.node));
    if (!hasAddresses(guest)) return this.#tell(guest, "left");
    const way = await this.#persist(guest, () => this.#findWay(owner, guest));
    if (typeof way === "string") return this.#refuse(guest, way);
    guest.via = way.via;
    guest.forgetFirstBytes();
    metrics.paired((performance.now() - startedAt) / 1000);
    if (guest.from) metrics.forwarded("in", "served");
    // A relay that has the tunnel knows what goes through it, and so how fast that may be.
    await this.#join(guest, way, way.via ? undefined : policy?.throttles());
  }

  async #find(serverName: string | undefined): Promise<OwningNode | Refusal> {
    if (serverName === undefined) return "no-name";
    if (labelBelow(serverName, this.#options.zone) === undefined) return "foreign-name";
    const owner = await this.#options.findOwner(serverName);
    if (owner.kind === "node") return owner;
    return owner.kind === "unknown" ? "unknown-name" : "lookup-unavailable";
  }

  /** In the relay's first moments, tries again with each news. Whoever was forwarded may do better elsewhere. */
  #persist<T>(guest: Guest, find: () => Promise<T | Refusal>): Promise<T | Refusal> {
    return guest.from || this.#options.firstMoments.areOver ? find() : this.#insist(guest, find);
  }

  async #insist<T>({ socket, node }: Guest, find: () => Promise<T | Refusal>): Promise<T | Refusal> {
    const { firstMoments, expects } = this.#options;
    while (true) {
      const news = firstMoments.next();
      const found = await find();
      if (typeof found !== "string" || firstMoments.areOver || socket.destroyed) return found;
      const { isInformed } = firstMoments;
      if (!decideStay(found as Refusal, { isInformed, isExpected: node !== undefined && expects(node) })) return found;
      await news;
    }
  }

  /** By the epoch of now: the node may have started anew while the visitor has waited. */
  #findWay({ node, epoch }: OwningNode, guest: Guest & PendingVisitor): Promise<Way | Refusal> {
    return this.#ways.find({ node, epoch: this.#options.epochOf(node) ?? epoch }, guest, guest.from);
  }

  async #join(guest: Guest, { socket: node, proveAlive }: Way, through: SpliceOptions["through"]): Promise<void> {
    const { idleMs, stalledMs, metrics } = this.#options;
    const startedAt = performance.now();
    const { ended } = await splice(guest.socket, node, { idleMs, stalledMs, confirmEndOfB: proveAlive, through });
    metrics.left(ended, (performance.now() - startedAt) / 1000);
    this.#tell(guest, ended);
  }

  #refuse(guest: Guest, reason: Refusal): void {
    const { metrics, farewell } = this.#options;
    const { socket } = guest;
    metrics.refused(reason);
    if (guest.from) metrics.forwarded("in", "refused");
    if (socket.closed) return this.#tell(guest, reason);
    socket.on("close", () => this.#tell(guest, reason));
    if (guest.from) farewell.leave(socket);
    else farewell.say(socket, refusals[reason]);
  }

  #left({ socket }: Guest): void {
    this.#sockets.delete(socket);
    this.#options.metrics.moved({ received: socket.bytesRead, sent: socket.bytesWritten });
    if (this.#sockets.size === 0) this.#onEmpty?.();
  }

  /** The last word about a visitor. */
  #tell({ socket, serverName: name, node, network, from, via, cameAt }: Guest, outcome: string): void {
    const { access, clock } = this.#options;
    const { bytesRead: bytesIn, bytesWritten: bytesOut } = socket;
    access({ name, node, network, from, via, outcome, bytesIn, bytesOut, ms: clock.now() - cameAt });
  }
}

function addressesOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): ProxyAddresses | undefined {
  if (!remoteAddress || !remotePort || !localAddress || !localPort) return undefined;
  return {
    sourceAddress: remoteAddress,
    sourcePort: remotePort,
    destinationAddress: localAddress,
    destinationPort: localPort,
  };
}
