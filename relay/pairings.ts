/**
 * The visitors of one tunnel from their hello to their end: each gets a connection to the node, a second one when the
 * first breaks before the node's answer, and an end to its wait. Where connections come from is the tunnel's affair.
 */
import type { Clock } from "../shared/clock.ts";
import { Deadlines } from "../shared/nodejs/deadlines.ts";
import type { TunnelSocket } from "../shared/nodejs/tunnel-socket.ts";
import { encodeProxyHeader } from "../shared/tunnel/proxy-header.ts";
import type { PoolConnection } from "./pool-connection.ts";
import type { Pairing, PendingVisitor } from "./tunnel.ts";

const defaultMaxAttempts = 2;

/** A visitor that waits for its node's first byte. */
export interface Attempt {
  readonly visitor: PendingVisitor;
  readonly settle: (pairing: Pairing) => void;
  left: number;
  connection: PoolConnection | undefined;
}

export interface PairingsOptions {
  /** From the visitor's hello to the first byte of the node's answer. */
  pairingMs: number;
  /** Connections that a visitor is given to before its node has answered; two unless told otherwise. */
  maxAttempts?: number;
  clock: Clock;
  /** Finds a connection and gives it to `claim`, now or later. */
  assign: (attempt: Attempt) => void;
  /** The attempt has failed, whether it had a connection or waited for one. */
  onFailed?: (attempt: Attempt) => void;
  /** A visitor has left. */
  onLess: () => void;
}

export class Pairings {
  readonly #options: PairingsOptions;
  readonly #claimed = new Map<PoolConnection, Attempt>();
  readonly #running = new Set<TunnelSocket>();
  readonly #deadlines: Deadlines<Attempt>;
  #closed = false;

  constructor(options: PairingsOptions) {
    const { pairingMs, clock } = options;
    this.#options = options;
    this.#deadlines = new Deadlines({ ms: pairingMs, clock, onExpired: (attempt) => this.fail(attempt, "timeout") });
  }

  /** Visitors that wait for an answer. */
  get claimed(): number {
    return this.#claimed.size;
  }

  /** Visitors that have a connection. */
  get busy(): number {
    return this.#claimed.size + this.#running.size;
  }

  begin(visitor: PendingVisitor): Promise<Pairing> {
    const { maxAttempts: left = defaultMaxAttempts } = this.#options;
    return new Promise((settle) => {
      const attempt: Attempt = { visitor, settle, left, connection: undefined };
      this.#deadlines.start(attempt);
      this.#options.assign(attempt);
    });
  }

  /** Gives the connection to the visitor. */
  claim(connection: PoolConnection, attempt: Attempt): void {
    attempt.left--;
    attempt.connection = connection;
    this.#claimed.set(connection, attempt);
    connection.claim(encodeProxyHeader(attempt.visitor.addresses), attempt.visitor.firstBytes);
  }

  answered(connection: PoolConnection): void {
    const attempt = this.#claimed.get(connection);
    this.#claimed.delete(connection);
    if (!attempt) return connection.destroy();
    this.#deadlines.stop(attempt);
    const { socket } = connection;
    this.#running.add(socket);
    socket.once("close", () => {
      this.#running.delete(socket);
      this.#options.onLess();
    });
    attempt.settle({ kind: "paired", socket });
  }

  /** The connection is gone; whose it was, if anybody's, gets another one. */
  broke(connection: PoolConnection): void {
    const attempt = this.#claimed.get(connection);
    this.#claimed.delete(connection);
    if (!attempt) return;
    attempt.connection = undefined;
    if (this.#closed) this.fail(attempt, "closed");
    else if (attempt.left > 0) this.#options.assign(attempt);
    else this.fail(attempt, "broken");
  }

  fail(attempt: Attempt, reason: Extract<Pairing, { kind: "failed" }>["reason"]): void {
    this.#deadlines.stop(attempt);
    this.#options.onFailed?.(attempt);
    if (attempt.connection && this.#claimed.delete(attempt.connection)) attempt.connection.destroy();
    attempt.settle({ kind: "failed", reason });
  }

  /** What breaks from now on is not tried again. */
  close(): void {
    this.#closed = true;
  }

  /** Resets every visitor. */
  destroy(): void {
    this.close();
    for (const connection of this.#claimed.keys()) connection.destroy();
    for (const attempt of this.#claimed.values()) this.fail(attempt, "closed");
    for (const socket of this.#running) socket.resetAndDestroy();
  }
}
