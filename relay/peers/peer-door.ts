/**
 * The door for other relays: TLS 1.3 in which both prove their keys, or resume a session in which they did. Who is not
 * named by the edge as one of the fleet is not let in.
 */
import type { Socket } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import { ControlChannel } from "../../shared/nodejs/control-channel.ts";
import { Deadlines } from "../../shared/nodejs/deadlines.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { createPoolContext, ticketKeysOf } from "../../shared/nodejs/pool-tls.ts";
import { provedIdOf } from "../../shared/nodejs/proved-id.ts";
import { reset } from "../../shared/nodejs/reset.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import type { RelayLimits } from "../config.ts";
import { Shares } from "../limits/shares.ts";
import type { RelayMetrics } from "../operations/metrics.ts";
import { networkOf } from "../limits/network.ts";
import { acceptTls } from "../door/accept-tls.ts";
import { PendingHellos } from "../door/pending-hellos.ts";
import { Arrival, type ArrivalEvents, type ForwardedVisitor } from "./arrival.ts";
import { peerAlpn, warmMs } from "./protocol.ts";

const handshakeMs = 5_000;
/** For header and ClientHello once their first byte has come. */
const helloMs = 5_000;
/** Connections that shake hands; the oldest makes room for the newest. */
const maxHandshakes = 512;
const maxHandshakesPerAddress = 256;
/** Connections that wait for a visitor, of all relays and of one. */
const maxWarm = 4_096;
const maxWarmPerPeer = 1_024;
/** Connections for pings that one relay has, and may open in a second: one for each of its threads. */
const maxChannelsPerPeer = 64;
const maxFramesPerSecond = 1_000;

export interface PeerDoorOptions {
  identity: Identity;
  /** Shared with those who take up each other's sessions. */
  ticketSecret?: Uint8Array | undefined;
  limits: Pick<RelayLimits, "maxForwarded" | "perPeer" | "pingMs">;
  fleet: () => readonly FleetRelay[];
  onVisitor: (socket: Socket, from: NodeId, visitor: ForwardedVisitor) => void;
  metrics: RelayMetrics;
  clock: Clock;
  log: Log;
}

export class PeerDoor {
  readonly #options: PeerDoorOptions;
  readonly #secureContext: SecureContext;
  readonly #handshakes: PendingHellos<TLSSocket>;
  readonly #warm: PendingHellos<Arrival>;
  readonly #begun: Deadlines<Arrival>;
  readonly #peers = new Map<Arrival, NodeId>();
  readonly #shares: Shares;
  readonly #channels: Shares;
  #forwarded = 0;

  constructor(options: PeerDoorOptions) {
    const { identity, ticketSecret, limits, metrics, clock } = options;
    this.#options = options;
    this.#secureContext = createPoolContext(identity, ticketKeysOf(ticketSecret, peerAlpn));
    this.#shares = new Shares({ ...limits.perPeer, clock });
    const channels = { maxOpen: maxChannelsPerPeer, perSecond: maxChannelsPerPeer, burst: maxChannelsPerPeer };
    this.#channels = new Shares({ ...channels, clock });
    this.#handshakes = new PendingHellos({
      max: maxHandshakes,
      maxPerAddress: maxHandshakesPerAddress,
      ms: handshakeMs,
      clock,
      onDropped: (socket) => {
        metrics.refused("peer-handshake");
        reset(socket);
      },
    });
    const dropped = (arrival: Arrival): void => {
      arrival.stop();
      this.#events.onBroken(arrival, "no-header-in-time");
    };
    const warm = { max: maxWarm, maxPerAddress: maxWarmPerPeer, ms: 2 * warmMs, clock };
    this.#warm = new PendingHellos({ ...warm, onDropped: dropped });
    this.#begun = new Deadlines({ ms: helloMs, clock, onExpired: dropped });
  }

  /** Visitors that other relays have forwarded to this one. */
  get forwarded(): number {
    return this.#forwarded;
  }

  /** Takes a connection whose ClientHello has been put back. */
  accept(tcp: Socket): void {
    const tls = acceptTls(tcp, {
      secureContext: this.#secureContext,
      ALPNProtocols: [peerAlpn],
      requestCert: true,
      rejectUnauthorized: false, // self-signed; the key is what counts
    });
    this.#handshakes.add(tls, networkOf(tcp.remoteAddress ?? ""));
    tls.once("close", () => this.#handshakes.delete(tls));
    tls.once("secure", () => {
      this.#handshakes.delete(tls);
      this.#greet(tls);
    });
  }

  #greet(tls: TLSSocket): void {
    const { metrics, log } = this.#options;
    // A resumed session has the certificate of its first connection.
    const peer = provedIdOf(tls);
    if (peer === undefined || !this.#isOfFleet(peer)) {
      metrics.refused("foreign-relay");
      log.debug("peer.refused", { relay: peer });
      return void tls.destroy();
    }
    const arrival = new Arrival(tls, this.#events);
    this.#peers.set(arrival, peer);
    this.#warm.add(arrival, peer);
  }

  readonly #events: ArrivalEvents = {
    onBegun: (arrival) => {
      this.#warm.delete(arrival);
      this.#begun.start(arrival);
    },
    onVisitor: (arrival, visitor) => {
      const peer = this.#forget(arrival);
      // The fleet may have changed while the connection waited.
      if (peer === undefined || !this.#isOfFleet(peer)) return void arrival.socket.destroy();
      this.#admit(arrival.socket, peer, visitor);
    },
    onFrames: (arrival) => {
      const peer = this.#forget(arrival);
      if (peer === undefined || this.#channels.enter(peer)) return void arrival.socket.destroy();
      this.#answerPings(arrival.socket, peer);
    },
    onBroken: (arrival, reason) => {
      this.#forget(arrival);
      if (reason !== "left-before-header") this.#options.metrics.refused(`peer-${reason}`);
      reset(arrival.socket);
    },
  };

  #admit(socket: TLSSocket, peer: NodeId, visitor: ForwardedVisitor): void {
    const { limits, metrics, onVisitor } = this.#options;
    if (this.#forwarded >= limits.maxForwarded || this.#shares.enter(peer)) {
      metrics.forwarded("in", "full");
      return void socket.destroy();
    }
    this.#forwarded++;
    socket.once("close", () => {
      this.#shares.leave(peer);
      this.#forwarded--;
    });
    onVisitor(socket, peer, visitor);
  }

  #answerPings(socket: TLSSocket, peer: NodeId): void {
    const { clock, limits } = this.#options;
    const channel: ControlChannel = new ControlChannel({
      socket,
      clock,
      maxFramesPerSecond,
      onFrame: ({ type }) => channel.end("refused", `Unexpected ${type}.`),
      onEnd: () => this.#channels.leave(peer), // visitors have connections of their own, and ends of their own
    });
    channel.startPings(limits.pingMs);
  }

  #forget(arrival: Arrival): NodeId | undefined {
    const peer = this.#peers.get(arrival);
    this.#peers.delete(arrival);
    this.#warm.delete(arrival);
    this.#begun.stop(arrival);
    return peer;
  }

  #isOfFleet(peer: NodeId): boolean {
    return this.#options.fleet().some(({ relay }) => relay === peer);
  }
}
