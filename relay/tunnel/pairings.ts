/**
 * The visitors of one tunnel from their hello to their end: each gets a connection to the node, a second one when the
 * first breaks or stays silent before the node's answer, and an end to its wait. Where connections come from is the
 * tunnel's affair.
 */
import type { Clock } from "../../shared/clock.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { encodeProxyHeader } from "../../shared/tunnel/proxy-header.ts";
import type { PoolConnection } from "./pool-connection.ts";
import type { Pairing, PendingVisitor } from "./tunnel.ts";
import { reset } from "../../shared/nodejs/reset.ts";

const defaultMaxAttempts = 2;
/** How long a node may say nothing over a connection until it is asked whether it lives. */
const silentMs = 500;

/** A visitor that waits for its node's first byte. */
export interface Attempt {
  readonly visitor: PendingVisitor;
  readonly settle: (pairing: Pairing) => void;
  left: number;
  /** It has had a connection that was there already; what befell that one may have befallen the others. */
  needsNew: boolean;
  /** Two when the first stays silent: the visitor gets the one that answers first. */
  readonly connections: Set<PoolConnection>;
  claimedAt: number;
}

export interface PairingsOptions {
  /** From the visitor's hello to the first byte of the node's answer. */
  pairingMs: number;
  /** Connections that a visitor is given to before its node has answered; two unless told otherwise. */
  maxAttempts?: number;
  clock: Clock;
  /** Finds a connection and gives it to `claim`, now or later. */
  assign: (attempt: Attempt) => void;
  /** The attempt is over, whether it had a connection or waited for one. */
  onSettled?: (attempt: Attempt) => void;
  /** For connections that lie ready: how to tell a path that has died in silence from a node that has. */
  silence?: {
    /** Whether the node lives at some time after this call. */
    proveAlive: () => Promise<boolean>;
    /** A new connection has answered at once where one that had been there did not at all. */
    onStale: () => void;
  };
  /** A visitor has left. */
  onLess: () => unknown;
}

export class Pairings {
  readonly #options: PairingsOptions;
  readonly #claimed = new Map<PoolConnection, Attempt>();
  readonly #running = new Set<TunnelSocket>();
  readonly #deadlines: Deadlines<Attempt>;
  readonly #silences: Deadlines<Attempt>;
  #closed = false;

  constructor(options: PairingsOptions) {
    const { pairingMs, clock } = options;
    this.#options = options;
    this.#deadlines = new Deadlines({ ms: pairingMs, clock, onExpired: (attempt) => this.fail(attempt, "timeout") });
    this.#silences = new Deadlines({ ms: silentMs, clock, onExpired: (attempt) => void this.#doubt(attempt) });
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
      const attempt: Attempt = { visitor, settle, left, needsNew: false, connections: new Set(), claimedAt: 0 };
      this.#deadlines.start(attempt);
      this.#options.assign(attempt);
    });
  }

  /** Gives the connection to the visitor. */
  claim(connection: PoolConnection, attempt: Attempt): void {
    const { clock, silence } = this.#options;
    attempt.left--;
    attempt.connections.add(connection);
    attempt.claimedAt = clock.now();
    this.#claimed.set(connection, attempt);
    if (silence && attempt.left > 0) this.#silences.start(attempt);
    connection.claim(encodeProxyHeader(attempt.visitor.addresses), attempt.visitor.firstBytes);
  }

  answered(connection: PoolConnection): void {
    const attempt = this.#claimed.get(connection);
    if (!attempt) return connection.destroy();
    const { silence, clock, onLess } = this.#options;
    this.#release(attempt, connection);
    const isSilentOneLeft = attempt.connections.size > 0;
    this.#settle(attempt);
    const { socket } = connection;
    this.#running.add(socket);
    socket.on("close", () => {
      this.#running.delete(socket);
      onLess();
    });
    attempt.settle({ kind: "paired", socket });
    if (attempt.needsNew && isSilentOneLeft && clock.now() - attempt.claimedAt < silentMs) silence?.onStale();
  }

  /** The connection is gone; whose it was, if anybody's, gets another one. */
  broke(connection: PoolConnection): void {
    const attempt = this.#claimed.get(connection);
    if (!attempt) return;
    this.#release(attempt, connection);
    if (this.#closed) this.fail(attempt, "closed");
    else if (attempt.left > 0) this.#tryAgain(attempt);
    else if (attempt.connections.size === 0) this.fail(attempt, "broken");
  }

  fail(attempt: Attempt, reason: Extract<Pairing, { kind: "failed" }>["reason"]): void {
    this.#settle(attempt);
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
    for (const socket of this.#running) reset(socket);
  }

  /** A pong to a ping that came after the visitor's bytes, and no answer to these: they did not reach the node. */
  async #doubt(attempt: Attempt): Promise<void> {
    const isAlive = await this.#options.silence?.proveAlive();
    if (isAlive && !this.#closed && attempt.connections.size > 0 && attempt.left > 0) this.#tryAgain(attempt);
  }

  #tryAgain(attempt: Attempt): void {
    attempt.needsNew = true;
    this.#silences.stop(attempt);
    this.#options.assign(attempt);
  }

  #release(attempt: Attempt, connection: PoolConnection): void {
    this.#claimed.delete(connection);
    attempt.connections.delete(connection);
  }

  #settle(attempt: Attempt): void {
    this.#deadlines.stop(attempt);
    this.#silences.stop(attempt);
    this.#options.onSettled?.(attempt);
    for (const connection of attempt.connections) {
      this.#release(attempt, connection);
      connection.destroy();
    }
  }
}
