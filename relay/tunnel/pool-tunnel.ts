/**
 * The tunnel as a control connection and a pool: the relay hands out passes, the node dials a connection for each,
 * and every visitor gets one of its own. The kernel does the flow control, and what befalls one visitor stays with it.
 * This is the part of one thread: the connections that came to it, for the visitors that came to it.
 */
import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { Rate } from "../../shared/rate.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { Goaway } from "../../shared/tunnel/control.ts";
import { Pairings, type Attempt } from "./pairings.ts";
import { PoolConnection } from "./pool-connection.ts";
import type { Pairing, PendingVisitor, Tunnel } from "./tunnel.ts";
import type { ControlLink, PartState, TunnelPart } from "./tunnel-part.ts";

const maxWaiting = 1_024;
const keepAliveMs = 30_000;
/** What was asked for a moment ago is not closed: the node would take it for a fault on the way. */
const minTrimAgeMs = 5_000;

export interface PoolTunnelOptions {
  node: NodeId;
  epoch: number;
  control: ControlLink;
  /** It takes no visitor any more. */
  onClosed: () => void;
  /** From the visitor's hello to the first byte of the node's answer. */
  pairingMs: number;
  clock: Clock;
  /** A visitor found no idle connection. */
  onEmpty: () => void;
}

export class PoolTunnel implements Tunnel, TunnelPart {
  readonly node: NodeId;
  readonly epoch: number;
  readonly #options: PoolTunnelOptions;
  /** The oldest first, with the time of their coming. */
  readonly #idle = new Map<PoolConnection, number>();
  readonly #waiting = new Set<Attempt>();
  readonly #pairings: Pairings;
  readonly #arrivals: Rate;
  #closed = false;

  constructor(options: PoolTunnelOptions) {
    const { node, epoch, clock, control } = options;
    this.node = node;
    this.epoch = epoch;
    this.#options = options;
    this.#arrivals = new Rate({ clock });
    this.#pairings = new Pairings({
      ...options,
      assign: (attempt) => this.#assign(attempt),
      onSettled: (attempt) => this.#waiting.delete(attempt),
      // A path may have died in silence, such as when a NAT forgets: what lay ready then is of no use to anybody.
      silence: { proveAlive: () => this.proveAlive(), onStale: () => this.trim(this.#idle.size) },
      onLess: () => this.#closed && control.changed(),
    });
  }

  get ready(): boolean {
    return this.#idle.size > 0;
  }

  get state(): PartState {
    return {
      idle: this.#idle.size,
      waiting: this.#waiting.size,
      arrivalsPerSecond: this.#arrivals.perSecond,
      busy: this.#pairings.busy,
      closed: this.#closed,
    };
  }

  /** Takes a connection that the node has dialled with one of this tunnel's passes. */
  adopt(socket: Socket): void {
    socket.setKeepAlive(true, keepAliveMs);
    const connection = new PoolConnection(socket, this.#events);
    if (this.#closed) return connection.destroy();
    this.#options.control.changed();
    for (const attempt of this.#waiting) {
      this.#waiting.delete(attempt);
      if (attempt.visitor.gone) this.#pairings.fail(attempt, "gone");
      else return this.#pairings.claim(connection, attempt);
    }
    this.#idle.set(connection, this.#options.clock.now());
  }

  pair(visitor: PendingVisitor): Promise<Pairing> {
    if (this.#closed) return Promise.resolve({ kind: "failed", reason: "closed" });
    this.#arrivals.count();
    return this.#pairings.begin(visitor);
  }

  proveAlive(): Promise<boolean> {
    return this.#options.control.proveAlive();
  }

  retire(goaway: Goaway): void {
    this.#options.control.retire(goaway);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onClosed();
    for (const connection of this.#idle.keys()) connection.destroy();
    this.#idle.clear();
    this.#pairings.close();
    for (const attempt of this.#waiting) this.#pairings.fail(attempt, "closed");
    this.#options.control.changed();
  }

  destroy(): void {
    this.close();
    this.#pairings.destroy();
  }

  trim(count: number): void {
    const oldEnough = this.#options.clock.now() - minTrimAgeMs;
    let left = count;
    for (const [connection, since] of this.#idle) {
      if (left-- <= 0 || since > oldEnough) break;
      this.#idle.delete(connection);
      connection.destroy();
    }
    this.#options.control.changed();
  }

  readonly #events = {
    onAnswer: (connection: PoolConnection): void => this.#pairings.answered(connection),
    onBroken: (connection: PoolConnection): void => {
      this.#idle.delete(connection);
      this.#options.control.changed();
      this.#pairings.broke(connection);
    },
  };

  #assign(attempt: Attempt): void {
    this.#options.control.changed();
    for (const connection of attempt.needsNew ? [] : this.#idle.keys()) {
      this.#idle.delete(connection);
      return this.#pairings.claim(connection, attempt);
    }
    this.#options.onEmpty();
    if (this.#waiting.size >= maxWaiting) this.#pairings.fail(attempt, "busy");
    else this.#waiting.add(attempt);
  }
}
