/**
 * The connections this node keeps open to one relay, one for each pass it was given, and the visitors that came over
 * them. What a relay may make a node do is bounded here.
 */
import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";
import { Rate } from "../../shared/rate.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import { PoolConnection } from "./pool-connection.ts";

/** For a connection to be made, and for a header once it has begun. */
const answerMs = 5_000;
const maxIdle = 1_024;
/** Connections that are being made. */
const maxConnecting = 256;
const maxDialsPerSecond = 5_000;
const retryMs = 50; // when the rate was too high

/** Somebody at the relay's port who asked for this node's name. */
export interface Visitor {
  /**
   * A plain socket with `allowHalfOpen` and `noDelay`, from which nothing of the visitor's bytes has been taken: ready
   * for `new TLSSocket(socket, { isServer: true })`.
   */
  readonly socket: Socket;
  /** Where the visitor comes from, and the port of the relay it reached. */
  readonly addresses: ProxyAddresses;
}

export interface PoolOptions {
  onVisitor: (visitor: Visitor) => void;
  clock: Clock;
  log: Log;
}

export class Pool {
  readonly #options: PoolOptions;
  readonly #passes: { relay: { host: string; port: number }; pass: Uint8Array }[] = [];
  readonly #answering: Deadlines<PoolConnection>;
  readonly #connections = new Set<PoolConnection>();
  readonly #visitors = new Set<Socket>();
  readonly #dials: Rate;
  #retry: NodeJS.Timeout | undefined;
  #onEmpty: (() => void)[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
    const { clock } = options;
    this.#dials = new Rate({ clock });
    this.#answering = new Deadlines({
      ms: answerMs,
      clock,
      onExpired: (connection) => connection.close(`The relay did not answer within ${answerMs} ms.`),
    });
  }

  /** Visitors that are here now. */
  get visitors(): number {
    return this.#visitors.size;
  }

  /** Opens a connection for each pass; more passes than a node may hold are left to expire. */
  dial(relay: { host: string; port: number }, passes: readonly Uint8Array[]): void {
    const room = maxIdle - this.#connections.size - this.#passes.length;
    for (const pass of passes.slice(0, Math.max(0, room))) this.#passes.push({ relay, pass });
    this.#dialNext();
  }

  /** Resolves when neither a visitor nor an idle connection is left; the relay closes those it will not use. */
  emptied(): Promise<void> {
    if (this.#visitors.size === 0 && this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Closes what waits for a visitor. */
  closeIdle(): void {
    clearTimeout(this.#retry);
    this.#passes.length = 0;
    for (const connection of this.#connections) connection.close();
  }

  /** Resets everything, visitors too. */
  destroy(): void {
    this.closeIdle();
    for (const socket of this.#visitors) socket.resetAndDestroy();
  }

  readonly #events = {
    onConnected: (connection: PoolConnection): void => {
      this.#answering.stop(connection);
      this.#dialNext();
    },
    onClaimed: (connection: PoolConnection): void => this.#answering.start(connection),
    onVisitor: (connection: PoolConnection, addresses: ProxyAddresses): void => {
      this.#forget(connection);
      this.#welcome(connection.socket, addresses);
    },
    onClosed: (connection: PoolConnection, reason: string | undefined): void => {
      this.#forget(connection);
      if (reason) this.#options.log.warn("pool.connection-lost", { reason });
      this.#dialNext();
      this.#left();
    },
  };

  #dialNext(): void {
    while (this.#answering.size < maxConnecting) {
      if (this.#dials.thisSecond >= maxDialsPerSecond) {
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#dialNext(), retryMs);
        return;
      }
      const next = this.#passes.shift();
      if (!next) return;
      this.#dials.count();
      const connection = new PoolConnection(next.relay, next.pass, this.#events);
      this.#connections.add(connection);
      this.#answering.start(connection);
    }
  }

  #forget(connection: PoolConnection): void {
    this.#answering.stop(connection);
    this.#connections.delete(connection);
  }

  #welcome(socket: Socket, addresses: ProxyAddresses): void {
    const { onVisitor, log } = this.#options;
    this.#visitors.add(socket);
    socket.once("close", () => {
      this.#visitors.delete(socket);
      this.#left();
    });
    try {
      onVisitor({ socket, addresses });
    } catch (error) {
      log.error("visitor.failed", { error: errorText(error) });
      socket.resetAndDestroy();
    }
  }

  #left(): void {
    if (this.#visitors.size > 0 || this.#connections.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}
