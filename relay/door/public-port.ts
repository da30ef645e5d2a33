/** The one port for everybody: what comes in is told apart by its first bytes and handed to whom it concerns. */
import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { poolAlpn } from "../../shared/tunnel/pool.ts";
import type { RelayLimits } from "../config.ts";
import { controlAlpns } from "./control-door.ts";
import type { Farewell } from "./farewell.ts";
import { FirstBytes, type FirstBytesAnswer } from "./first-bytes.ts";
import type { RelayMetrics } from "../operations/metrics.ts";
import { networkOf } from "../limits/network.ts";
import { peerAlpn } from "../peers/protocol.ts";
import { PendingHellos } from "./pending-hellos.ts";
import { ignoreErrors } from "../../shared/nodejs/ignore-errors.ts";
import { reset } from "../../shared/nodejs/reset.ts";

export interface PublicPortOptions {
  relayName: string;
  limits: RelayLimits;
  farewell: Farewell;
  metrics: RelayMetrics;
  clock: Clock;
  onVisitor: (socket: Socket, serverName: string | undefined, firstBytes: Buffer) => void;
  /** A pool connection; answers false when its pass is nobody's. */
  onPass: (socket: Socket, pass: Uint8Array) => boolean;
  /** A pool connection inside TLS, with its ClientHello put back. */
  onPoolTls: (socket: Socket) => void;
  /** A connection of another relay, with its ClientHello put back. */
  onPeer: (socket: Socket) => void;
  /** A node's control connection with its ClientHello put back; answers false when there is no room. */
  onControl: (socket: Socket) => boolean;
}

export class PublicPort {
  readonly #options: PublicPortOptions;
  readonly #sockets = new Set<Socket>();
  /** Those of nodes, which belong to the TLS on them. */
  readonly #controls = new WeakSet<Socket>();
  readonly #hellos: PendingHellos<FirstBytes>;

  constructor(options: PublicPortOptions) {
    this.#options = options;
    const { limits, clock, metrics } = options;
    this.#hellos = new PendingHellos({
      max: limits.maxPendingHellos,
      maxPerAddress: limits.maxPendingHellosPerAddress,
      ms: limits.helloMs,
      clock,
      onDropped: (first, reason) => {
        first.stop();
        metrics.refused(reason);
        metrics.handshake(reason);
        reset(first.socket);
      },
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get pendingHellos(): number {
    return this.#hellos.size;
  }

  /** Takes a connection as it was accepted, with `allowHalfOpen` and `noDelay`. */
  accept(socket: Socket): void {
    ignoreErrors(socket);
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    this.#hellos.add(new FirstBytes(socket, this.#onAnswer), networkOf(socket.remoteAddress ?? ""));
  }

  /** Resets every connection there is, but closes those of nodes: their end may be on its way, and reset.ts cannot see it. */
  destroy(): void {
    for (const socket of this.#sockets)
      if (this.#controls.has(socket)) socket.destroy();
      else reset(socket);
  }

  readonly #onAnswer = (first: FirstBytes, answer: FirstBytesAnswer): void => {
    const { relayName, farewell, metrics, onVisitor, onPass, onPoolTls, onPeer, onControl } = this.#options;
    const { socket } = first;
    this.#hellos.delete(first);
    metrics.handshake(outcomeOf(answer));
    const drop = (reason: string): void => {
      metrics.refused(reason);
      reset(socket);
    };
    switch (answer.kind) {
      case "left":
        return drop("left-before-hello");
      case "refused":
        if (!answer.alert) return drop(answer.reason);
        metrics.refused(answer.reason);
        return farewell.say(socket, answer.alert);
      case "pass":
        if (!onPass(socket, answer.pass)) drop("unknown-pass");
        return;
      case "hello":
        if (answer.serverName !== relayName) return onVisitor(socket, answer.serverName, answer.bytes);
        socket.unshift(answer.bytes);
        if (answer.alpn.includes(poolAlpn)) return onPoolTls(socket);
        if (answer.alpn.includes(peerAlpn)) return onPeer(socket);
        if (answer.alpn.some((protocol) => controlAlpns.includes(protocol))) {
          if (!onControl(socket)) return drop("too-many-at-the-door");
          this.#controls.add(socket);
          return;
        }
        metrics.refused("no-tunnel-protocol");
        farewell.say(socket, "no_application_protocol");
    }
  };
}

function outcomeOf(answer: FirstBytesAnswer): string {
  return answer.kind === "refused" ? answer.reason : answer.kind;
}
