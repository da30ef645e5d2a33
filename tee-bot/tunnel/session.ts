/**
 * One control connection to one relay, with the visitors that come by it, over a pool or as streams of the connection
 * itself: from the dial to the last visitor. It proves this node's key, and takes nobody for the relay who does not
 * prove the relay's.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { ControlChannel, type ChannelEnd } from "../../shared/nodejs/control-channel.ts";
import type { Identity } from "../../shared/nodejs/identity-file.ts";
import { lookupWithLoopback } from "../../shared/nodejs/loopback-lookup.ts";
import { problemOfRelay } from "../../shared/nodejs/proved-id.ts";
import type { RelayEndpoint } from "../../shared/registry/messages.ts";
import { tunnelAlpn, type ControlFrame, type Goaway } from "../../shared/tunnel/control.ts";
import { http2TunnelAlpn } from "../../shared/tunnel/http2.ts";
import { createTlsDial, dialPlain, type RelayAddress } from "./dial.ts";
import { Http2Link } from "./http2-link.ts";
import { Pool, type Visitor } from "./pool.ts";
import { PoolWitness } from "./pool-witness.ts";
import type { Transport } from "./transport.ts";

const connectMs = 5_000;
/** A relay may have to ask the edge before it welcomes a node. */
const welcomeMs = 10_000;

export interface SessionOptions {
  relay: RelayEndpoint;
  transport: Transport;
  identity: Identity;
  epoch: number;
  version: string;
  onVisitor: (visitor: Visitor) => void;
  /** The relay has admitted this node. */
  onUp: () => void;
  clock: Clock;
  log: Log;
}

/** Why no new visitor comes over a session any more. */
export interface SessionEnd {
  readonly reason: Goaway["reason"] | "unreachable" | "lost";
  readonly detail: string;
}

export class Session {
  readonly epoch: number;
  /** Resolves when no new visitor can come; those here may go on. */
  readonly over: Promise<SessionEnd>;
  /** Resolves, while the session is up, with the reason why visitors do not get through its transport. */
  readonly unfit: Promise<string>;
  /** Resolves when the connection is closed and the last visitor has left. */
  readonly closed: Promise<void>;
  readonly #options: SessionOptions;
  readonly #alpn: string;
  readonly #pool: Pool;
  readonly #socket: TLSSocket;
  readonly #witness: PoolWitness;
  #channel: ControlChannel | undefined;
  #welcomed = false;
  #ending = false;
  #deadline: NodeJS.Timeout;
  #end: (end: SessionEnd) => void = () => {};
  #close: () => void = () => {};

  constructor(options: SessionOptions) {
    const { relay, identity, epoch, transport } = options;
    this.#options = options;
    this.epoch = epoch;
    this.over = new Promise((resolve) => {
      this.#end = (end) => {
        this.#ending = true;
        resolve(end);
      };
    });
    this.closed = new Promise((resolve) => (this.#close = resolve));
    this.#alpn = transport === "http2" ? http2TunnelAlpn : tunnelAlpn;
    // A relay that takes its leave says so before it closes its pool, and so before it answers.
    this.#witness = new PoolWitness(async () => (await this.#channel?.proveAlive()) === true && this.up);
    this.unfit = this.#witness.unfit;
    this.#pool = new Pool({
      ...options,
      dial: transport === "tls" ? createTlsDial(relay) : dialPlain,
      onOutcome: (outcome, detail) => this.#witness.saw(outcome, detail),
    });
    this.#socket = connect({
      host: relay.host,
      port: relay.port,
      lookup: lookupWithLoopback,
      servername: relay.name,
      ALPNProtocols: [this.#alpn],
      minVersion: "TLSv1.3",
      cert: identity.certificate,
      key: identity.privateKeyPem,
      rejectUnauthorized: false, // self-signed; its key is compared below
    });
    this.#deadline = setTimeout(() => this.#fail(`The relay did not answer within ${connectMs} ms.`), connectMs);
    this.#socket.setNoDelay(true);
    this.#socket.once("secureConnect", () => this.#open());
    this.#socket.on("error", (error) => this.#fail(errorText(error)));
    this.#socket.on("close", () => this.#fail("The relay closed the connection."));
  }

  /** The relay has admitted this node, and nothing has ended since. */
  get up(): boolean {
    return this.#welcomed && !this.#ending;
  }

  get visitors(): number {
    return this.#pool.visitors;
  }

  /** Tells the relay that no new visitor should come; resolves when the last one has left, at the latest after `ms`. */
  async drain(ms: number): Promise<void> {
    this.#channel?.send({ type: "goaway", reason: "stopping", detail: "The node stops." });
    const { clock } = this.#options;
    const waiting = new AbortController();
    if (this.#channel && !this.#channel.ended)
      await Promise.race([this.#pool.emptied(), clock.sleep(ms, waiting.signal).catch(() => {})]);
    waiting.abort();
    this.destroy();
  }

  /** Gives way to another session of this node: no new visitor, those here to their end, however long that takes. */
  giveWay(): void {
    this.#channel?.send({ type: "goaway", reason: "stopping", detail: "The node uses another transport." });
    this.#pool.closeIdle();
    if (this.#pool.visitors === 0) this.destroy();
  }

  /** Ends everything at once; visitors see a reset. */
  destroy(): void {
    this.#pool.destroy();
    this.#channel?.end("ended", "Closed by this node.");
    this.#fail("Closed by this node.");
  }

  #open(): void {
    const { relay, transport } = this.#options;
    const problem = problemOfRelay(this.#socket, relay.relay, this.#alpn);
    if (problem) return this.#fail(problem);
    this.#wait(welcomeMs, `The relay did not welcome this node within ${welcomeMs} ms.`);
    if (transport !== "http2") return this.#greet(this.#socket);
    const link: Http2Link = new Http2Link(this.#socket, {
      onControl: (control) => this.#greet(control, () => link.end()),
      onVisitor: (socket) => this.#pool.adopt(socket),
    });
  }

  #greet(control: Duplex, onEnd?: () => void): void {
    const { epoch, version, clock } = this.#options;
    this.#channel = new ControlChannel({
      socket: control,
      clock,
      bytesHeard: () => this.#socket.bytesRead,
      onFrame: (frame) => this.#take(frame),
      onEnd: (end, detail) => {
        this.#channelEnded(end, detail);
        onEnd?.();
      },
    });
    this.#channel.send({ type: "hello", epoch, version });
  }

  #take(frame: ControlFrame): void {
    switch (frame.type) {
      case "welcome":
        if (this.#welcomed) return;
        this.#welcomed = true;
        clearTimeout(this.#deadline);
        this.#channel?.startPings(frame.pingMs);
        return this.#options.onUp();
      case "dial":
        if (this.#welcomed) this.#pool.dial(addressOf(this.#socket), frame.passes);
        return;
      case "missed":
        return this.#witness.missed(frame.passes);
      case "goaway":
        return this.#end({ reason: frame.reason, detail: frame.detail });
      case "hello":
      case "ping":
      case "pong":
        throw new AppError("bad-request", `Unexpected control frame ${frame.type}.`);
    }
  }

  #channelEnded(end: ChannelEnd, detail: string): void {
    // A relay that is frozen or cut off holds its visitors for ever; one that only lost the control connection does not.
    if (end === "silent") this.#pool.destroy();
    else this.#pool.closeIdle();
    this.#fail(detail);
  }

  #fail(detail: string): void {
    clearTimeout(this.#deadline);
    this.#end({ reason: this.#welcomed ? "lost" : "unreachable", detail });
    if (!this.#channel) this.#socket.destroy();
    else this.#channel.end("error", detail);
    void this.#pool.emptied().then(this.#close);
  }

  #wait(ms: number, detail: string): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#fail(detail), ms);
  }
}

function addressOf(socket: Socket): RelayAddress {
  return { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
}
