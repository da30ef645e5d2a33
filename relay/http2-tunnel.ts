/**
 * The tunnel in one connection, for networks that allow no more: a stream of HTTP/2 for each visitor. Windows do the
 * flow control; what befalls the connection befalls every visitor.
 */
import type { Clock } from "../shared/clock.ts";
import type { ControlChannel } from "../shared/nodejs/control-channel.ts";
import type { NodeId } from "../shared/registry/node-id.ts";
import type { Goaway } from "../shared/tunnel/control.ts";
import type { Http2Link } from "./http2-link.ts";
import { Pairings, type Attempt } from "./pairings.ts";
import { PoolConnection } from "./pool-connection.ts";
import type { Pairing, PendingVisitor, Tunnel } from "./tunnel.ts";

const maxWaiting = 1_024;

export interface Http2TunnelOptions {
  node: NodeId;
  epoch: number;
  channel: ControlChannel;
  link: Http2Link;
  /** From the visitor's hello to the first byte of the node's answer. */
  pairingMs: number;
  clock: Clock;
}

export class Http2Tunnel implements Tunnel {
  readonly node: NodeId;
  readonly epoch: number;
  /** Connections that wait for a visitor. */
  readonly idle = 0;
  readonly #options: Http2TunnelOptions;
  readonly #pairings: Pairings;
  #retired = false;

  constructor(options: Http2TunnelOptions) {
    this.node = options.node;
    this.epoch = options.epoch;
    this.#options = options;
    this.#pairings = new Pairings({
      ...options,
      assign: (attempt) => this.#assign(attempt),
      onLess: () => this.#closeWhenDone(),
    });
  }

  get ready(): boolean {
    return !this.#retired && !this.#options.link.closed;
  }

  pair(visitor: PendingVisitor): Promise<Pairing> {
    if (!this.ready) return Promise.resolve({ kind: "failed", reason: "closed" });
    if (this.#pairings.claimed >= maxWaiting) return Promise.resolve({ kind: "failed", reason: "busy" });
    return this.#pairings.begin(visitor);
  }

  /** An end of a stream is what the node has said itself; a kernel that buries a process cannot say it. */
  proveAlive(): Promise<boolean> {
    return Promise.resolve(true);
  }

  retire(goaway: Goaway): void {
    if (this.#retired) return;
    this.#options.channel.send({ type: "goaway", ...goaway });
    this.close();
  }

  destroy(): void {
    this.close();
    this.#pairings.destroy();
    this.#options.channel.end("ended", "The tunnel was destroyed.");
    this.#options.link.destroy();
  }

  /** No new visitor from now on; what runs may finish, then the connection is closed. */
  close(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#pairings.close();
    this.#closeWhenDone();
  }

  #assign(attempt: Attempt): void {
    if (attempt.visitor.gone) return this.#pairings.fail(attempt, "gone");
    if (this.#options.link.closed) return this.#pairings.fail(attempt, "closed");
    const connection = new PoolConnection(this.#options.link.open(), {
      onAnswer: (answered) => this.#pairings.answered(answered),
      onBroken: (broken) => this.#pairings.broke(broken),
    });
    this.#pairings.claim(connection, attempt);
  }

  #closeWhenDone(): void {
    if (this.#retired && this.#pairings.busy === 0) this.#options.channel.end("ended", "The last visitor has left.");
  }
}
