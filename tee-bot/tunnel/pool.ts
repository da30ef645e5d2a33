/**
 * The connections this node keeps open to one relay, one for each pass it was given, and the visitors that came over
 * them. What a relay may make a node do is bounded here.
 */
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";
import type { TunnelSocket } from "../../shared/nodejs/tunnel-socket.ts";
import { Rate } from "../../shared/rate.ts";
import type { ProxyAddresses } from "../../shared/tunnel/proxy-header.ts";
import type { Dial, RelayAddress } from "./dial.ts";
import { PoolConnection } from "./pool-connection.ts";
import { reset } from "../../shared/nodejs/reset.ts";

/** For a connection to be made, and for a header once it has begun. */
const answerMs = 5_000;
const maxIdle = 1_024;
/** Connections that are being made. */
const maxConnecting = 256;
const maxDialsPerSecond = 5_000;
const retryMs = 50; // when the rate was too high
const youngMs = 3_000;

/** Somebody at the relay's port who asked for this node's name. */
export interface Visitor {
  /**
   * With `allowHalfOpen` and without delay; nothing of the visitor's bytes has been taken from it: ready for
   * `new TLSSocket(socket, { isServer: true })`.
   */
  readonly socket: TunnelSocket;
  /** Where the visitor comes from, and the port of the relay it reached. */
  readonly addresses: ProxyAddresses;
}

export interface PoolOptions {
  dial: Dial;
  onVisitor: (visitor: Visitor) => void;
  /** What became of a connection: a visitor came over it, or it was cut, refused or answered by somebody else. */
  onOutcome?: (outcome: "worked" | "failed", detail: string) => void;
  clock: Clock;
  log: Log;
}

export class Pool {
  readonly #options: PoolOptions;
  readonly #passes: { relay: RelayAddress; pass: Uint8Array }[] = [];
  readonly #answering: Deadlines<PoolConnection>;
  /** Those that wait for a visitor, and when they were begun. */
  readonly #connections = new Map<PoolConnection, number>();
  readonly #visitors = new Set<TunnelSocket>();
  readonly #dials: Rate;
  #retry: NodeJS.Timeout | undefined;
  #closing = false;
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
  dial(relay: RelayAddress, passes: readonly Uint8Array[]): void {
    const room = maxIdle - this.#connections.size - this.#passes.length;
    for (const pass of passes.slice(0, Math.max(0, room))) this.#passes.push({ relay, pass });
    this.#dialNext();
  }

  /** Takes a connection that the relay has opened for a visitor; its header is on the way. */
  adopt(socket: TunnelSocket): void {
    if (this.#closing || this.#connections.size >= maxIdle) return reset(socket);
    const connection = new PoolConnection(socket, this.#events);
    this.#connections.set(connection, this.#options.clock.now());
    this.#answering.start(connection);
  }

  /** Resolves when neither a visitor nor an idle connection is left; the relay closes those it will not use. */
  emptied(): Promise<void> {
    if (this.#visitors.size === 0 && this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Closes what waits for a visitor. */
  closeIdle(): void {
    this.#closing = true;
    clearTimeout(this.#retry);
    this.#passes.length = 0;
    for (const connection of this.#connections.keys()) connection.close();
  }

  /** Ends everything at once, visitors too. */
  destroy(): void {
    this.closeIdle();
    // Not reset: TLS may be on top of it, on its way to an end. The relay makes a reset of what ends with the tunnel.
    for (const socket of this.#visitors) socket.destroy();
  }

  readonly #events = {
    onClaimed: (connection: PoolConnection): void => this.#answering.start(connection),
    onVisitor: (connection: PoolConnection, addresses: ProxyAddresses): void => {
      this.#forget(connection);
      this.#options.onOutcome?.("worked", "");
      this.#welcome(connection.socket, addresses);
    },
    onClosed: (connection: PoolConnection, reason: string | undefined): void => {
      const ageMs = this.#options.clock.now() - (this.#connections.get(connection) ?? 0);
      this.#forget(connection);
      if (reason) this.#options.log.warn("pool.connection-lost", { reason });
      // The relay closes what it does not need, but nothing that has just come.
      if (!this.#closing && (reason !== undefined || ageMs < youngMs))
        this.#options.onOutcome?.("failed", reason ?? "The connection was cut.");
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
      const onReady = (problem?: string): void => {
        if (problem) return connection.close(problem);
        this.#answering.stop(connection);
        this.#dialNext();
      };
      const connection = new PoolConnection(this.#options.dial(next.relay, next.pass, onReady), this.#events);
      this.#connections.set(connection, this.#options.clock.now());
      this.#answering.start(connection);
    }
  }

  #forget(connection: PoolConnection): void {
    this.#answering.stop(connection);
    this.#connections.delete(connection);
  }

  #welcome(socket: TunnelSocket, addresses: ProxyAddresses): void {
    const { onVisitor, log } = this.#options;
    this.#visitors.add(socket);
    socket.on("close", () => {
      this.#visitors.delete(socket);
      this.#left();
    });
    try {
      onVisitor({ socket, addresses });
    } catch (error) {
      log.error("visitor.failed", { error: errorText(error) });
      reset(socket);
    }
  }

  #left(): void {
    if (this.#visitors.size > 0 || this.#connections.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}
