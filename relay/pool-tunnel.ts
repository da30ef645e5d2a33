/**
 * The tunnel as a control connection and a pool: the relay hands out passes, the node dials a connection for each,
 * and every visitor gets one of its own. The kernel does the flow control, and what befalls one visitor stays with it.
 */
import type { Socket } from "node:net";
import type { Clock } from "../shared/clock.ts";
import type { ControlChannel } from "../shared/nodejs/control-channel.ts";
import type { NodeId } from "../shared/registry/node-id.ts";
import { maxFrameBytes, passBytes, type Goaway } from "../shared/tunnel/control.ts";
import { Rate } from "../shared/rate.ts";
import { Pairings, type Attempt } from "./pairings.ts";
import type { PassOwner, Passes } from "./passes.ts";
import { PoolConnection } from "./pool-connection.ts";
import { decidePoolSize, decideRefill, decideTrim } from "./pool-size.ts";
import type { Pairing, PendingVisitor, Tunnel } from "./tunnel.ts";

/** New connections asked of one node, however many visitors come and go. */
const maxPassesPerSecond = 4_000;
const maxPassesPerFrame = Math.floor((maxFrameBytes - 1) / passBytes);
const maxWaiting = 1_024;
const upkeepMs = 250;
const keepAliveMs = 30_000;
/** What is younger is not closed on suspicion: a node takes that for a sign that its network cuts the pool. */
const minStaleMs = 5_000;

export interface PoolTunnelOptions {
  node: NodeId;
  epoch: number;
  channel: ControlChannel;
  passes: Passes<PoolTunnel>;
  floor: number;
  cap: number;
  /** From the visitor's hello to the first byte of the node's answer. */
  pairingMs: number;
  clock: Clock;
  /** A visitor found no idle connection. */
  onEmpty: () => void;
}

export class PoolTunnel implements Tunnel, PassOwner {
  readonly node: NodeId;
  readonly epoch: number;
  readonly #options: PoolTunnelOptions;
  readonly #idle = new Set<PoolConnection>();
  readonly #waiting = new Set<Attempt>();
  readonly #pairings: Pairings;
  readonly #arrivals: Rate;
  readonly #issued: Rate;
  readonly #upkeep: NodeJS.Timeout;
  #promised = 0;
  /** Passes that have expired since the node was told. */
  #missed = 0;
  /** Asked for and not answered: the channel must not be closed by this end before. */
  #proofs = 0;
  #refilling = false;
  #retired = false;

  constructor(options: PoolTunnelOptions) {
    const { node, epoch, clock } = options;
    this.node = node;
    this.epoch = epoch;
    this.#options = options;
    this.#arrivals = new Rate({ clock });
    this.#issued = new Rate({ clock });
    this.#pairings = new Pairings({
      ...options,
      assign: (attempt) => this.#assign(attempt),
      onSettled: (attempt) => this.#waiting.delete(attempt),
      silence: { proveAlive: () => this.proveAlive(), onStale: () => this.#dropStale() },
      onLess: () => this.#closeWhenDone(),
    });
    this.#upkeep = setInterval(() => this.#keepUp(), upkeepMs).unref();
    this.#refill();
  }

  get ready(): boolean {
    return this.#idle.size > 0;
  }

  get idle(): number {
    return this.#idle.size;
  }

  /** Takes a connection that the node has dialled with one of this tunnel's passes. */
  adopt(socket: Socket): void {
    this.#promised--;
    socket.setKeepAlive(true, keepAliveMs);
    const connection = new PoolConnection(socket, this.#events);
    if (this.#retired) return connection.destroy();
    for (const attempt of this.#waiting) {
      this.#waiting.delete(attempt);
      if (attempt.visitor.gone) this.#pairings.fail(attempt, "gone");
      else return this.#pairings.claim(connection, attempt);
    }
    this.#idle.add(connection);
  }

  passExpired(): void {
    this.#promised--;
    this.#missed++;
    this.#refillSoon();
  }

  pair(visitor: PendingVisitor): Promise<Pairing> {
    if (this.#retired) return Promise.resolve({ kind: "failed", reason: "closed" });
    this.#arrivals.count();
    return this.#pairings.begin(visitor);
  }

  async proveAlive(): Promise<boolean> {
    this.#proofs++;
    const alive = await this.#options.channel.proveAlive();
    this.#proofs--;
    this.#closeWhenDone();
    return alive;
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
  }

  /** No new visitor from now on; what runs may finish, then the control connection is closed. */
  close(): void {
    if (this.#retired) return;
    this.#retired = true;
    clearInterval(this.#upkeep);
    for (const connection of this.#idle) connection.destroy();
    this.#idle.clear();
    this.#pairings.close();
    for (const attempt of this.#waiting) this.#pairings.fail(attempt, "closed");
    this.#closeWhenDone();
  }

  readonly #events = {
    onAnswer: (connection: PoolConnection): void => this.#pairings.answered(connection),
    onBroken: (connection: PoolConnection): void => {
      this.#idle.delete(connection);
      this.#refillSoon();
      this.#pairings.broke(connection);
    },
  };

  #assign(attempt: Attempt): void {
    this.#refillSoon();
    for (const connection of attempt.needsNew ? [] : this.#idle) {
      this.#idle.delete(connection);
      return this.#pairings.claim(connection, attempt);
    }
    this.#options.onEmpty();
    if (this.#waiting.size >= maxWaiting) this.#pairings.fail(attempt, "busy");
    else this.#waiting.add(attempt);
  }

  /** A path may have died in silence, such as when a NAT forgets: what lay ready then is of no use to anybody. */
  #dropStale(): void {
    for (const connection of this.#idle) {
      if (connection.ageMs < minStaleMs) continue;
      this.#idle.delete(connection);
      connection.destroy();
    }
    this.#refillSoon();
  }

  /** Asks for connections at the end of this turn, once for all visitors that came in it. */
  #refillSoon(): void {
    if (this.#refilling || this.#retired) return;
    this.#refilling = true;
    setImmediate(() => {
      this.#refilling = false;
      this.#refill();
    });
  }

  #refill(): void {
    if (this.#retired) return;
    const { cap, channel, passes } = this.#options;
    let count = decideRefill({
      size: this.#size(),
      cap,
      idle: this.#idle.size,
      promised: this.#promised,
      waiting: this.#waiting.size,
      allowance: maxPassesPerSecond - this.#issued.thisSecond,
    });
    this.#promised += count;
    this.#issued.count(count);
    for (; count > 0; count -= maxPassesPerFrame)
      channel.send({ type: "dial", passes: passes.issue(this, Math.min(count, maxPassesPerFrame)) });
  }

  #keepUp(): void {
    if (this.#missed > 0) this.#options.channel.send({ type: "missed", passes: this.#missed });
    this.#missed = 0;
    this.#refill(); // what the rate limit has put off
    let excess = decideTrim({ size: this.#size(), idle: this.#idle.size });
    for (const connection of this.#idle) {
      if (excess-- <= 0) break;
      this.#idle.delete(connection);
      connection.destroy();
    }
  }

  #size(): number {
    const { floor, cap, channel } = this.#options;
    return decidePoolSize({
      arrivalsPerSecond: this.#arrivals.perSecond,
      roundTripMs: channel.roundTripMs ?? 0,
      floor,
      cap,
    });
  }

  #closeWhenDone(): void {
    const busy = this.#pairings.busy + this.#proofs;
    if (this.#retired && busy === 0) this.#options.channel.end("ended", "The last visitor has left.");
  }
}
