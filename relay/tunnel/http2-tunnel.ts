/**
 * The tunnel in one connection, for networks that allow no more: a stream of HTTP/2 for each visitor. Windows do the
 * flow control; what befalls the connection befalls every visitor.
 */
import type { Clock } from "../../shared/clock.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { Goaway } from "../../shared/tunnel/control.ts";
import { Pairings, type Attempt } from "./pairings.ts";
import { PoolConnection } from "./pool-connection.ts";
import type { Pairing, PendingVisitor, Tunnel } from "./tunnel.ts";
import type { ControlLink, PartState, TunnelPart } from "./tunnel-part.ts";

const maxWaiting = 1_024;

/** What gives a way to the node for one visitor. */
export interface VisitorLink {
  /** Takes no visitor any more. */
  readonly closed: boolean;
  open(): TunnelSocket;
}

export interface Http2TunnelOptions {
  node: NodeId;
  epoch: number;
  control: ControlLink;
  /** It takes no visitor any more. */
  onClosed: () => void;
  link: VisitorLink;
  /** Whether the end of what `link` has opened is what the node meant to send. */
  confirmEnd: () => Promise<boolean>;
  /** From the visitor's hello to the first byte of the node's answer. */
  pairingMs: number;
  clock: Clock;
}

export class Http2Tunnel implements Tunnel, TunnelPart {
  readonly node: NodeId;
  readonly epoch: number;
  readonly #options: Http2TunnelOptions;
  readonly #pairings: Pairings;
  #closed = false;

  constructor(options: Http2TunnelOptions) {
    this.node = options.node;
    this.epoch = options.epoch;
    this.#options = options;
    this.#pairings = new Pairings({
      ...options,
      assign: (attempt) => this.#assign(attempt),
      onLess: () => this.#closed && options.control.changed(),
    });
  }

  get ready(): boolean {
    return !this.#closed && !this.#options.link.closed;
  }

  get state(): PartState {
    return { idle: 0, waiting: 0, arrivalsPerSecond: 0, busy: this.#pairings.busy, closed: this.#closed };
  }

  pair(visitor: PendingVisitor): Promise<Pairing> {
    if (!this.ready) return Promise.resolve({ kind: "failed", reason: "closed" });
    if (this.#pairings.claimed >= maxWaiting) return Promise.resolve({ kind: "failed", reason: "busy" });
    return this.#pairings.begin(visitor);
  }

  proveAlive(): Promise<boolean> {
    return this.#options.confirmEnd();
  }

  retire(goaway: Goaway): void {
    this.#options.control.retire(goaway);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.onClosed();
    this.#pairings.close();
    this.#options.control.changed();
  }

  destroy(): void {
    this.close();
    this.#pairings.destroy();
  }

  trim(): void {}

  #assign(attempt: Attempt): void {
    if (attempt.visitor.gone) return this.#pairings.fail(attempt, "gone");
    if (this.#options.link.closed) return this.#pairings.fail(attempt, "closed");
    const connection = new PoolConnection(this.#options.link.open(), {
      onAnswer: (answered) => this.#pairings.answered(answered),
      onBroken: (broken) => this.#pairings.broke(broken),
    });
    this.#pairings.claim(connection, attempt);
  }
}
