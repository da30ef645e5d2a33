/**
 * Where connections to a node wait for visitors, and visitors for connections, those who came first before the others. Who
 * brings connections is the tunnel's affair, and what becomes of a visitor with a connection that of its pairing.
 */
import { reset } from "../../shared/nodejs/reset.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { Pairings, type Attempt, type PairingsOptions } from "./pairings.ts";
import { PoolConnection } from "./pool-connection.ts";

const maxWaiting = 1_024;

export interface WaitingRoomOptions extends Omit<PairingsOptions, "assign" | "onSettled"> {
  /** A visitor was given a connection, or has found none. */
  onAssigned: (attempt: Attempt, found: boolean) => void;
  /** A connection is gone that waited for a visitor or for the node's answer. */
  onBroken?: () => void;
}

export class WaitingRoom {
  readonly pairings: Pairings;
  readonly #options: WaitingRoomOptions;
  /** The oldest first, with the time of their coming. */
  readonly #idle = new Map<PoolConnection, number>();
  readonly #waiting = new Set<Attempt>();
  #closed = false;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
    this.pairings = new Pairings({
      ...options,
      assign: (attempt) => this.#assign(attempt),
      onSettled: (attempt) => this.#waiting.delete(attempt),
    });
  }

  /** Connections that wait for a visitor. */
  get idle(): number {
    return this.#idle.size;
  }

  /** Visitors that wait for a connection. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a connection to the node: for who has waited longest, else for who comes. */
  adopt(socket: TunnelSocket): void {
    if (this.#closed) return reset(socket);
    const connection = new PoolConnection(socket, this.#events);
    for (const attempt of this.#waiting) {
      this.#waiting.delete(attempt);
      if (attempt.visitor.gone) this.pairings.fail(attempt, "gone");
      else return this.pairings.claim(connection, attempt);
    }
    this.#idle.set(connection, this.#options.clock.now());
  }

  /** A connection was not made; who has waited longest need not wait for another one. */
  failOne(): void {
    for (const attempt of this.#waiting) return this.pairings.fail(attempt, "broken");
  }

  /** Closes idle connections that have come until then, the oldest first. */
  closeIdle(until: number, most: number = Infinity): void {
    let left = most;
    for (const [connection, since] of this.#idle) {
      if (left-- <= 0 || since > until) break;
      this.#idle.delete(connection);
      connection.destroy();
    }
  }

  /** Nobody meets any more; visitors with an answer go on. */
  close(): void {
    this.#closed = true;
    this.closeIdle(Infinity);
    this.pairings.close();
    for (const attempt of this.#waiting) this.pairings.fail(attempt, "closed");
  }

  readonly #events = {
    onAnswer: (connection: PoolConnection): void => this.pairings.answered(connection),
    onBroken: (connection: PoolConnection): void => {
      this.#idle.delete(connection);
      this.#options.onBroken?.();
      this.pairings.broke(connection);
    },
  };

  #assign(attempt: Attempt): void {
    const connection = attempt.needsNew ? undefined : this.#takeIdle();
    if (connection) this.pairings.claim(connection, attempt);
    else if (this.#waiting.size >= maxWaiting) this.pairings.fail(attempt, "busy");
    else this.#waiting.add(attempt);
    this.#options.onAssigned(attempt, connection !== undefined);
  }

  #takeIdle(): PoolConnection | undefined {
    const [connection] = this.#idle.keys();
    if (connection) this.#idle.delete(connection);
    return connection;
  }
}
