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
import type { Pairing, PendingVisitor, Tunnel } from "./tunnel.ts";
import type { ControlLink, PartState, TunnelPart } from "./tunnel-part.ts";
import { WaitingRoom } from "./waiting-room.ts";

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
  readonly #room: WaitingRoom;
  readonly #arrivals: Rate;
  #closed = false;

  constructor(options: PoolTunnelOptions) {
    const { node, epoch, clock, control, onEmpty } = options;
    this.node = node;
    this.epoch = epoch;
    this.#options = options;
    this.#arrivals = new Rate({ clock });
    this.#room = new WaitingRoom({
      ...options,
      onAssigned: (_, found) => {
        control.changed();
        if (!found) onEmpty();
      },
      onBroken: () => control.changed(),
      // A path may have died in silence, such as when a NAT forgets: what lay ready then is of no use to anybody.
      silence: { proveAlive: () => this.proveAlive(), onStale: () => this.trim(this.#room.idle) },
      onLess: () => this.#closed && control.changed(),
    });
  }

  get ready(): boolean {
    return this.#room.idle > 0;
  }

  get state(): PartState {
    return {
      idle: this.#room.idle,
      waiting: this.#room.waiting,
      arrivalsPerSecond: this.#arrivals.perSecond,
      busy: this.#room.pairings.busy,
      closed: this.#closed,
    };
  }

  /** Takes a connection that the node has dialled with one of this tunnel's passes. */
  adopt(socket: Socket): void {
    socket.setKeepAlive(true, keepAliveMs);
    this.#room.adopt(socket);
    this.#options.control.changed();
  }

  pair(visitor: PendingVisitor): Promise<Pairing> {
    if (this.#closed) return Promise.resolve({ kind: "failed", reason: "closed" });
    this.#arrivals.count();
    return this.#room.pairings.begin(visitor);
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
    this.#room.close();
    this.#options.control.changed();
  }

  destroy(): void {
    this.close();
    this.#room.pairings.destroy();
  }

  trim(count: number): void {
    this.#room.closeIdle(this.#options.clock.now() - minTrimAgeMs, count);
    this.#options.control.changed();
  }
}
